"""Drawings written to make a shell, a configuration file or a web page do something else."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.attack.register import attack, case
from tests.web.drawings import two_hosts
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.render import script
from topoweb.core.plan.state import LabState
from topoweb.core.topology.document import DocumentError, parse
from topoweb.core.topology.validate import validate
from topoweb.kernel.services import recipes

NAMES = {
    "substitution": "$(>owned)",
    "backticks": "`>owned`",
    "semicolon": "a;>owned",
    "pipe": "a|tee owned",
    "and": "a&&>owned",
    "quote": "a'>owned'b",
    "double-quote": 'a"$(>owned)',
    "backslash": "a\\';>owned",
    "glob": "*",
    "tilde": "~root",
    "comment": "#a",
    "history": "!!",
    "brace": "{a,b}",
    "redirect": ">owned",
}


def drawing(name, **changes):
    document = {**two_hosts(), **changes}
    document["nodes"]["n1"]["name"] = name
    document["interfaces"]["i1"]["name"] = name
    return document


def commands(document):
    topology = parse(document)
    plan = diff(expand(7, topology), LabState(), subjects(topology))
    return script(plan, {key: node.name for key, node in topology.nodes.items()})


@pytest.mark.parametrize(
    "name", [case(key, f"a node and an interface called {name}: the plan pasted into a shell",
                  "each name is one quoted word; nothing else runs", name)
             for key, name in NAMES.items()],
)  # fmt: skip
def test_names_in_commands(tmp_path, name):
    lines = commands(drawing(name))
    assert any(name in shlex.split(line) for line in lines)
    stubs = "ip() { printf '%s\\0' \"$@\" >>said; }\n"
    program = stubs + "\n".join(lines)
    subprocess.run(["bash", "-c", program], cwd=tmp_path, check=True, timeout=20)
    subprocess.run(["dash", "-c", program], cwd=tmp_path, check=True, timeout=20)
    assert {path.name for path in tmp_path.iterdir()} == {"said"}
    assert name in (tmp_path / "said").read_text().split("\0")


DASHES = ["-all", "--help", "-batch", "-n"]


@attack("names that begin as an option: -all, -batch", "an error of the drawing: it does not run")
def test_names_that_are_options():
    for name in DASHES:
        found = validate(parse(drawing(name)))
        assert "name-starts-with-dash" in {one.code for one in found if one.severity == "error"}


UNPRINTABLE = {
    "newline": "a\nb", "return": "a\rb", "escape": "a\x1b[2J", "nul": "a\0b", "delete": "a\x7fb",
    "c1": "a\x9bb", "override": "a\u202eb", "isolate": "a\u2066b", "separator": "a\u2028b",
    "surrogate": "a\ud800b", "tab": "a\tb",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [case(key, f"a name with a control character: {key}", "the document is refused", name)
             for key, name in UNPRINTABLE.items()],
)  # fmt: skip
def test_unprintable_names(name):
    with pytest.raises(DocumentError):
        parse(drawing(name))


IDS = ["../../etc", "a/b", "a b", "", "x" * 41, "$(id)", "a:b", "é", "a\nb", ".", "__proto__;"]


@attack("ids of nodes, interfaces, links and services that are paths or code", "refused")
def test_ids():
    for bad in IDS:
        for collection, value in (
            ("nodes", {"kind": "host", "name": "h9"}),
            ("interfaces", {"node": "n1", "name": "eth9"}),
            ("notes", {"text": "x"}),
            ("services", {"node": "n1", "kind": "echo"}),
        ):
            document = two_hosts()
            document.setdefault(collection, {})[bad] = value
            with pytest.raises(DocumentError):
                parse(document)


def service(kind, **options):
    document = two_hosts()
    document["services"] = {"s1": {"node": "n1", "kind": kind, "options": options}}
    return document


DHCP = {"interface": "i1", "first": "10.0.0.10", "last": "10.0.0.20"}
OPTIONS = {
    "dhcp-range": ("dhcp-server", {**DHCP, "first": "10.0.0.10\ndhcp-script=/root/x"}),
    "dhcp-lease": ("dhcp-server", {**DHCP, "lease": "600\nconf-dir=/root"}),
    "dhcp-dns": ("dhcp-server", {**DHCP, "dns": "1.1.1.1\ndhcp-script=/root/x"}),
    "dhcp-gateway": ("dhcp-server", {**DHCP, "gateway": "10.0.0.1,1.2.3.4"}),
    "dhcp-interface": ("dhcp-server", {**DHCP, "interface": "i1\nenable-tftp"}),
    "dns-domain": ("dns", {"domain": "lab/\nconf-file=/etc/shadow"}),
    "dns-record": ("dns", {"records": [{"name": "a\n0.0.0.0 b", "address": "10.0.0.1"}]}),
    "dns-address": ("dns", {"records": [{"name": "a", "address": "10.0.0.1 evil"}]}),
    "http-port": ("http", {"port": "80; id"}),
    "echo-protocol": ("echo", {"protocol": "tcp --exec"}),
    "echo-port": ("echo", {"port": 65536}),
    "iperf3-port": ("iperf3", {"port": "5201 --logfile /etc/x"}),
    "ra-dns": ("router-advertisements", {"interface": "i1", "dns": "::1]\nenable-tftp"}),
    "frr-router-id": ("frr", {"router_id": "1.1.1.1\n!\nrouter bgp 1"}),
    "frr-network": ("frr", {"ospf": [{"prefix": "10.0.0.0/8 area 0\nexit"}]}),
    "frr-neighbour": ("frr", {"bgp": {"asn": 1, "neighbours": [{"address": "a\nb", "asn": 2}]}}),
    "frr-redistribute": ("frr", {"redistribute": ["kernel\nexit"]}),
    "unknown-option": ("command", {"line": "id", "user": "root", "daemon": True}),
    "unknown-kind": ("sudo", {"line": "id"}),
    "options-as-list": ("http", []),
    "prototype": ("http", {"__class__": "x"}),
}


@pytest.mark.parametrize(
    ("kind", "options"),
    [case(key, f"an option of a service that carries more than its value: {key}", "refused",
          *given) for key, given in OPTIONS.items()],
)  # fmt: skip
def test_options(kind, options):
    document = service(kind)
    document["services"]["s1"]["options"] = options
    with pytest.raises(DocumentError):
        parse(document)


@attack(
    "an own command of shell text",
    "one argument of the node's own shell, without CAP_SYS_ADMIN; no other command knows it",
)
def test_own_command():
    line = "id; $(>owned) `x` \"'"
    (recipe,) = recipes(parse(service("command", line=line))).values()
    assert recipe.command.arguments == ("/bin/sh", "-c", line)
    assert recipe.command.daemon is False
    assert not recipe.files


@attack(
    "FRR's configuration as text that names other programs, files and daemons",
    "one furnished file; the daemons come from a table; programs and paths are ours",
)
def test_frr_text():
    text = (
        "router ../../../bin/sh\nrouter bgp;id\nrouter $(id)\nrouter ospf\n"
        "log file /etc/shadow\nservice integrated-vtysh-config\n!\nstart-shell bash\n"
    )
    (recipe,) = recipes(parse(service("frr", config=text))).values()
    program, *arguments = recipe.command.arguments
    assert program == "/usr/bin/python3"
    assert arguments[:2] == ["-I", "-u"]
    assert arguments[2:4] == [f"/run/topoweb/service-s1/{name}" for name in ("frr.py", "frr.conf")]
    assert arguments[4:] == ["zebra", "staticd", "ospfd", "bgpd"]
    assert set(recipe.files) == {"frr.py", "frr.conf"}
    assert recipe.files["frr.conf"].decode().startswith(text.rstrip())


@attack("script in a node's name and in the text of its HTTP page", "escaped")
def test_page():
    document = service("http", text="</pre><script>alert(1)</script>")
    document["nodes"]["n1"]["name"] = "<img src=x>"
    (recipe,) = recipes(parse(document)).values()
    page = recipe.files["page.html"].decode()
    assert "<script" not in page
    assert "<img" not in page


@attack(
    "hostile but allowed names in the configuration of dnsmasq: a line of its own, a comment",
    "each stays inside its line; names that DNS cannot hold are left out",
)
def test_names_in_dnsmasq():
    plain = _configuration("eth0", "h1")
    for name in NAMES.values():
        config, hosts = _configuration(name, name)
        assert config.count("\n") == plain[0].count("\n")
        assert [line.split("=")[0] for line in config.splitlines()] == [
            line.split("=")[0] for line in plain[0].splitlines()
        ]
        assert name not in hosts


def _configuration(interface, node):
    document = two_hosts()
    document["interfaces"]["i1"]["name"] = interface
    document["nodes"]["n1"]["name"] = node
    document["services"] = {
        "s1": {"node": "n1", "kind": "dhcp-server", "options": DHCP},
        "s2": {"node": "n1", "kind": "dns", "options": {}},
    }
    found = recipes(parse(document))
    return found["s1"].files["dnsmasq.conf"].decode(), found["s2"].files["hosts"].decode()
