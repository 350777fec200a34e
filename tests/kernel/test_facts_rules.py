"""The packet filter of a node, read as the lab's own root reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kernel.factslab import lan
from tests.kernel.plans import LAB, inside
from tests.kernel.rootless import ROOT, run_without_root
from topoweb.core.tracing.explain.facts import Rule
from topoweb.kernel.trace import ruleset
from topoweb.kernel.trace.facts import LinuxFacts

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")


RULES = """
table inet t {
 chain late { type filter hook forward priority 10; policy accept; drop; }
 chain mine {
  counter packets 7 bytes 1 reject with icmp type host-prohibited
 }
 chain f {
  type filter hook forward priority 0; policy drop;
  ip saddr 10.9.0.0/16 accept comment "drop"
  ip protocol icmp counter drop comment "no ping"
  tcp dport { 22, 80 } jump mine
 }
 chain in { type filter hook input priority filter; iifname lo accept; }
}
table netdev n {
 chain i { type filter hook ingress device eth0 priority 0; ip ttl 1 drop; }
}
"""


def test_rules_in_the_order_of_evaluation(kernel: LinuxKernel, tmp_path: Path) -> None:
    lan(kernel)
    facts = LinuxFacts(tmp_path, LAB, max_age=0)
    assert facts.rules("r") == ()
    text = tmp_path / "rules"
    text.write_text(RULES)
    inside(kernel, "r", f"nft -f {text}")
    found = [(f"{r.hook} {r.table} {r.chain}", r.text, r.verdict) for r in facts.rules("r")]
    assert found == [
        ("ingress netdev n i", "ip ttl 1 drop", "drop"),
        ("ingress netdev n i", "policy accept", "accept"),
        ("input inet t in", 'iifname "lo" accept', "accept"),
        ("input inet t in", "policy accept", "accept"),
        ("forward inet t f", "ip saddr 10.9.0.0/16 accept", "accept"),
        ("forward inet t f", "ip protocol icmp counter packets 0 bytes 0 drop", "drop"),
        ("forward inet t f", "tcp dport { 22, 80 } jump mine", "other"),
        ("forward inet t f", "policy drop", "drop"),
        ("forward inet t late", "drop", "drop"),
        ("forward inet t late", "policy accept", "accept"),
        (
            " inet t mine",
            "meta nfproto ipv4 counter packets 7 bytes 1 reject with icmp host-prohibited",
            "reject",
        ),
    ]
    rules = {rule.text: rule for rule in facts.rules("r")}
    assert rules["ip protocol icmp counter packets 0 bytes 0 drop"] == Rule(
        table="inet t",
        chain="f",
        hook="forward",
        text="ip protocol icmp counter packets 0 bytes 0 drop",
        verdict="drop",
        comment="no ping",
        packets=0,
    )
    assert (rules["policy drop"].policy, rules["drop"].packets) == (True, -1)
    assert facts.rules("h1") == ()


def test_rules_are_read_with_the_labs_own_privileges(kernel: LinuxKernel, tmp_path: Path) -> None:
    """Whoever writes the rules writes what nft parses."""
    lan(kernel)
    inside(kernel, "r", "nft add table inet t")
    facts = LinuxFacts(tmp_path, LAB, max_age=0)
    seen: list[str] = []
    output = ruleset._output

    def look(command: list[str], keep: list[int]) -> str:
        at = command.index("--", 5)
        seen.append(output([*command[: at + 1], "cat", "/proc/self/uid_map"], keep))
        seen.append(output([*command[: at + 1], "readlink", "/proc/self/ns/user"], keep))
        seen.append(output([*command[: at + 1], "id", "-u"], keep))
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ruleset, "_output", look)
        facts.rules("r")
    manifest = kernel.manifest(LAB)
    assert manifest
    assert seen[1].strip() == f"user:[{manifest.userns}]"
    first = seen[0].split()[1] if manifest.uid_base >= 0 else str(os.getuid())
    assert first == str(max(manifest.uid_base, os.getuid()))
    assert seen[2].strip() == "0"


CONFINED = """
import sys
from pathlib import Path
from topoweb.kernel.trace.confine import confine
from topoweb.kernel.trace.facts import LinuxFacts
confine()
facts = LinuxFacts(Path(sys.argv[1]), int(sys.argv[2]))
print(facts.interfaces("r")["eth0"].mtu, facts.sysctl("r", "net.ipv4.ip_forward"))
print(*(rule.text for rule in facts.rules("r")), sep=";")
"""


def test_the_confined_tracer_can_ask_all_of_it(kernel: LinuxKernel, tmp_path: Path) -> None:
    lan(kernel)
    inside(kernel, "r", "nft add table inet t")
    inside(kernel, "r", "nft add chain inet t c { type filter hook input priority 0 ; }")
    inside(kernel, "r", "nft add rule inet t c ip protocol icmp drop")
    command = [sys.executable, "-c", CONFINED, str(tmp_path), str(LAB)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "1500 1\nip protocol icmp drop;policy accept\n", done.stderr


ROOTLESS = """
import os, sys, tempfile
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
sys.modules["tests"] = type(sys)("tests")
import plans
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.trace.facts import LinuxFacts
run = Path(sys.argv[1], "run")
kernel = LinuxKernel(run)
try:
    plans.apply(kernel, *plans.two_hosts())
    plans.inside(kernel, "n1", "nft add table inet t")
    plans.inside(kernel, "n1",
        "nft add chain inet t c { type filter hook input priority 0 ; policy drop ; }")
    facts = LinuxFacts(run, plans.LAB)
    assert facts.interfaces("n1")["eth0"].addresses[0] == "10.0.1.1/24"
    assert facts.route("n1", "10.0.1.2").interface == "eth0"
    assert facts.sysctl("n1", "net.ipv4.ip_forward") == "0"
    assert [rule.text for rule in facts.rules("n1")] == ["policy drop"], facts.rules("n1")
finally:
    kernel.destroy(plans.LAB)
    kernel.close()
print("ok")
"""


def test_without_root() -> None:
    run_without_root(ROOTLESS)
