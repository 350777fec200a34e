"""Services of one small program: a page, an echo, iperf3, a user's own command."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from topoweb.core.programs import Command, Recipe
from topoweb.kernel.services.scripts import script

if TYPE_CHECKING:
    from topoweb.core.topology.services import Echo, Http, Iperf3, OwnCommand
    from topoweb.kernel.services.stand import Stand

PYTHON = "/usr/bin/python3"
IPERF3 = "/usr/bin/iperf3"
SHELL = "/bin/sh"
PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{name}</title></head>
<body><h1>{name}</h1><p>This is {name}.</p>{text}</body></html>
"""


def http(options: Http, stand: Stand) -> Recipe:
    """Serve the page; what users wrote is escaped here."""
    text = f"<pre>{escape(options.text)}</pre>" if options.text else ""
    page = PAGE.format(name=escape(stand.site.node.name), text=text)
    files = {"page.py": script("page.py"), "page.html": page.encode()}
    return _python(stand, "page.py", (str(options.port), f"{stand.seen}/page.html"), files)


def echo(options: Echo, stand: Stand) -> Recipe:
    """Echo over TCP, UDP or both."""
    arguments = (str(options.port), *options.protocols)
    return _python(stand, "echo.py", arguments, {"echo.py": script("echo.py")})


def iperf3(options: Iperf3, stand: Stand) -> Recipe:
    """Serve throughput tests, one after the other."""
    arguments = (IPERF3, "--server", "--port", str(options.port), "--forceflush")
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=arguments),
        needs={IPERF3: "iperf3"},
    )


def own_command(options: OwnCommand, stand: Stand) -> Recipe:
    """Let the node's own shell read the line."""
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=(SHELL, "-c", options.line)),
        fault="" if options.line.strip() else "service-command-empty",
    )


def _python(stand: Stand, name: str, arguments: tuple[str, ...], files: dict[str, bytes]) -> Recipe:
    # -I: neither the node's environment nor its directory changes what is imported.
    command = (PYTHON, "-I", "-u", f"{stand.seen}/{name}", *arguments)
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(arguments=command),
        files=files,
        needs={PYTHON: "python3-minimal"},
    )
