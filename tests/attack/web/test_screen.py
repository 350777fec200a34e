"""What a program in a node can do to the page of whoever looks at its terminal: nothing.

The product's own screen (`frontend/src/terminal`) in a real browser, on a page that notes every
way out: clipboard, windows, printing, titles, requests, elements, answers.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.attack.register import attack, case
from tests.browser.chromium import CHROMIUM, chromium

ROOT = Path(__file__).resolve().parents[3]
ROLLDOWN = ROOT / "frontend" / "node_modules" / ".bin" / "rolldown"
XTERM_STYLE = ROOT / "frontend" / "node_modules" / "@xterm" / "xterm" / "css" / "xterm.css"
ESC, ST, BEL = "\x1b", "\x1b\\", "\x07"
PAGE = "http://terminal.invalid/"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if not ROLLDOWN.exists():
        pytest.skip("the front end's packages are not installed (scripts/frontend packages)")
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: chromium)")
    bundle = tmp_path_factory.mktemp("screen") / "screen.js"
    command = [ROLLDOWN, Path(__file__).with_name("screen.js"), "--file", bundle]
    command += ["--format", "iife", "--module-types", ".css=empty"]
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT / "frontend", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with chromium() as browser:
        own = browser.new_page()
        own.requests = []
        own.route("**/*", lambda route: _answer(own, route))
        own.goto(PAGE)
        own.add_style_tag(path=XTERM_STYLE)
        own.add_style_tag(content=".term-screen, .xterm { width: 100%; height: 100% }")
        own.add_script_tag(content=bundle.read_text())
        own.wait_for_function("window.ready === true")
        own.requests.clear()
        yield own


def _answer(page, route):
    page.requests.append(route.request.url)
    if route.request.url == PAGE:
        route.fulfill(
            body="<!doctype html><html><head><title>ours</title></head><body></body></html>",
            content_type="text/html",
        )
    else:
        route.abort()


def show(page, text, times=1):
    """Write a text to the screen; return what was noted, apart from answers to the program."""
    page.requests.clear()
    return page.evaluate("([text, times]) => window.show(text, times)", [text, times])


SILENT = {
    "osc-52-write": f"{ESC}]52;c;ZXZpbA=={BEL}",
    "osc-52-write-primary": f"{ESC}]52;p;ZXZpbA=={ST}",
    "osc-52-read": f"{ESC}]52;c;?{BEL}",
    "osc-5522": f"{ESC}]5522;type=write;ZXZpbA=={ST}",
    "iterm-copy": f"{ESC}]1337;CopyToClipboard={BEL}evil{ESC}]1337;EndCopy{BEL}",
    "iterm-file": f"{ESC}]1337;File=name=eC5zaA==;inline=0;size=4:ZXZpbA=={BEL}",
    "iterm-image": f"{ESC}]1337;File=inline=1:iVBORw0KGgo={BEL}",
    "iterm-url": f"{ESC}]1337;OpenURL=:aHR0cDovL2V2aWwuZXhhbXBsZQ=={BEL}",
    "sixel": f"{ESC}Pq#0;2;0;0;0#0~~@@vv@@~~@@~~${ST}",
    "notification-9": f"{ESC}]9;evil{BEL}",
    "notification-777": f"{ESC}]777;notify;evil;evil{BEL}",
    "notification-99": f"{ESC}]99;;evil{ST}",
    "print-screen": f"{ESC}[i{ESC}[5ievil{ESC}[4i{ESC}[?5i{ESC}[?4i",
    "resize-window": f"{ESC}[8;1;1t{ESC}[4;10;10t",
    "move-window": f"{ESC}[3;0;0t{ESC}[2t{ESC}[9;1t",
    "132-columns": f"{ESC}[?40h{ESC}[?3h",
    "markup": "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>",
    "style-break-out": f"{ESC}[38;2;1;1;1m</span><iframe src=javascript:alert(1)>",
    "shell-integration": f"{ESC}]633;E;evil{BEL}{ESC}]133;A{BEL}{ESC}]7;file://evil/etc{BEL}",
    "user-defined-keys": f"{ESC}P0;1|17/6576696c{ST}",
    "xterm-resources": f"{ESC}P+p6576696c{ST}",
    "answerback": "\x05",
    "c1": "\x9d52;c;ZXZpbA==\x9c",
    "application-program": f"{ESC}_evil{ST}{ESC}^evil{ST}{ESC}Xevil{ST}",
    "kitty-image": f"{ESC}_Gf=100,t=f;L2V0Yy9wYXNzd2Q={ST}",
}


@pytest.mark.parametrize(
    "text", [case(key, f"terminal output: {key}",
                  "no clipboard, window, element, request, print, size or answer", text)
             for key, text in SILENT.items()],
)  # fmt: skip
def test_silent(page, text):
    before = show(page, "\x1bc")
    after = show(page, text)
    assert [one for one in after["noted"] if one[0] != "title"] == []
    assert after["elements"] == []
    assert (after["title"], after["size"]) == ("ours", before["size"])
    assert page.requests == []


TITLES = {
    "markup": "<img src=x onerror=alert(1)>", "newlines": "a\nb\rc", "escape": "a\x9bb",
    "long": "x" * 100_000, "percent": "%s%n", "utf-8-override": "\xe2\x80\xaegnp.exe",
}  # fmt: skip


@pytest.mark.parametrize(
    "title", [case(key, f"a title set by a program: {key}",
                   "plain text of 80 characters at most; the page keeps its own", title)
              for key, title in TITLES.items()],
)  # fmt: skip
def test_titles(page, title):
    for number in (0, 1, 2):
        after = show(page, f"{ESC}]{number};{title}{BEL}")
        for kind, value in after["noted"]:
            assert kind == "title"
            assert value.isprintable()
            assert len(value) <= 80
            assert "\u202e" not in value
        assert after["title"] == "ours"
        assert after["elements"] == []


ANSWERS = {
    "title-report": f"{ESC}]0;`id`;evil{BEL}{ESC}[21t{ESC}[20t",
    "decrqss": f"{ESC}P$qevil;id\n{ST}",
    "xtgettcap": f"{ESC}P+q6576696c{ST}",
    "font": f"{ESC}]50;?evil{BEL}",
    "color": f"{ESC}]4;0;evil{BEL}{ESC}]4;0;?{BEL}",
    "color-name": f"{ESC}]10;evil\n{BEL}{ESC}]10;?{BEL}",
    "mode": f"{ESC}[?1;evil$p",
    "device-attributes": f"{ESC}[>evil c{ESC}[=c",
    "selection": f"evil\n{ESC}]52;s;?{BEL}",
    "macro": f"{ESC}P1;0;0!zevil{ST}{ESC}[1*z",
    "checksum": f"evil{ESC}[1;1;1;1;1;9*y",
}


@pytest.mark.parametrize(
    "text", [case(key, f"make the screen answer with the program's own words: {key}",
                  "no answer has them, nor a line end", text) for key, text in ANSWERS.items()],
)  # fmt: skip
def test_answers(page, text):
    show(page, "\x1bc")
    for kind, value in show(page, text)["noted"]:
        if kind == "input":
            assert "evil" not in value
            assert "id" not in value
            assert "\n" not in value
            assert "\r" not in value


QUERIES = f"{ESC}[c{ESC}[>c{ESC}[5n{ESC}[6n{ESC}[?6n{ESC}]10;?{BEL}{ESC}P$qm{ST}{ESC}[?2026$p"


@attack("status reports on the screen of a viewer who may only read", "nothing is sent")
def test_answers_of_a_reader(page):
    assert page.evaluate("(text) => window.viewer(true, text)", QUERIES)  # a writer's are sent
    assert page.evaluate("(text) => window.viewer(false, text)", QUERIES) == []


LINKS = ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "file:///etc/passwd",
         "vbscript:x", "blob:http://x/y", " javascript:alert(1)", "JaVaScRiPt:alert(1)",
         "http://evil.example/"]  # fmt: skip


@attack("a link of OSC 8, clicked: javascript:, data:, file:, http:",
        "only http is passed on, to a question; no window, no request")  # fmt: skip
def test_links(page):
    for address in LINKS:
        show(page, f"\x1bc{ESC}]8;;{address}{ST}click here{ESC}]8;;{ST}")
        place = page.evaluate("window.cell(2, 0)")
        page.mouse.move(place["x"], place["y"])
        page.mouse.click(place["x"], place["y"])
        noted = show(page, "")["noted"]
        assert not [one for one in noted if one[0] in ("open", "alert", "confirm")], address
        assert page.requests == []
        assert page.url == PAGE


HEAVY = {
    "parameters": f"{ESC}[999999999;9H{ESC}[999999999b{ESC}[999999999L{ESC}[999999999P" * 50,
    "repeat": f"x{ESC}[2147483647b" * 20,
    "tabs": f"{ESC}[999999999I{ESC}[999999999Z" * 100,
    "scroll": f"{ESC}[999999999S{ESC}[999999999T" * 100,
    "many-parameters": f"{ESC}[" + "1;" * 100_000 + "m",
    "endless-osc": f"{ESC}]0;" + "x" * 1_000_000,
    "endless-dcs": f"{ESC}P" + "1;" * 500_000,
    "combining": "a" + "\xcc\x81" * 10_000,
    "resets": "\x1bc" * 20_000,
    "buffers": f"{ESC}[?1049h{ESC}[?1049l" * 5_000,
}  # fmt: skip


@pytest.mark.parametrize(
    "text", [case(key, f"terminal output that is heavy to draw: {key}",
                  "done in seconds; the screen goes on", text) for key, text in HEAVY.items()],
)  # fmt: skip
def test_heavy(page, text):
    page.set_default_timeout(20_000)
    show(page, text)
    assert show(page, f"{ST}\x18\x1bcfine")["size"]
