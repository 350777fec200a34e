"""DNS and DHCP: servers that refuse, that are silent, that ask others in vain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.verdicts.case import Case, Send
from tests.verdicts.cases.segments import SWITCHED

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(__file__).parents[1] / "programs"
PYTHON = f"{sys.executable} -I {PROGRAMS}"
SERVER = "dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --pid-file="
LEASES = "--port=0 --no-ping --dhcp-leasefile=/dev/null"
DHCP = "udhcpc -f -n -q -t1 -T1 -i eth0 -s /bin/true"


def _dhcp() -> Iterator[Case]:
    for lab, _, host, _, _, other, _ in SWITCHED:
        asks = Send(source=host, target="255.255.255.255", protocol="udp", port=67, by=DHCP)
        router = f"--interface=eth{int(lab == 'campus')}"
        first, second = (f"{LEASES} --dhcp-range=10.0.1.{n},10.0.1.{n}" for n in (101, 102))
        yield Case(
            name="no DHCP server", lab=lab, send=asks, code="dhcp-no-server", node=host,
            remedy="start-dhcp-server", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="two DHCP servers", lab=lab, send=asks, code="dhcp-rogue", node=host,
            remedy="stop-rogue-dhcp", mends=False, serve=(f"r1: {SERVER} {first} {router}",),
            joins=(f"{other}: {SERVER} {second} --interface=eth0",),
        )  # fmt: skip
        yield Case(
            name="a DHCP server for other clients only", lab=lab, send=asks, node=host,
            code="dhcp-server-silent", remedy="check-dhcp-range", twin=False, mends=False,
            serve=(f"r1: {SERVER} {first} {router} --dhcp-ignore=tag:!known",),
        )  # fmt: skip


def _dns() -> Iterator[Case]:
    for lab, _, host, _, near, other, _ in SWITCHED:
        dig = f"dig +tries=1 +time=2 +noedns @{near} "
        nobody = near.rpartition(".")[0] + ".77"
        records = "--address=/known.lab/192.0.2.1 --local=/lab/"

        def asks(name: str, host: str = host, near: str = near, dig: str = dig) -> Send:
            return Send(source=host, target=near, protocol="udp", port=53, by=dig + name)

        for name, question, code, kind, remedy in (
            ("there is no such name", "nosuch.lab", "dns-no-such-name", "expected", ""),
            ("the server refuses", "else.where", "dns-refused", "fault", "ask-other-dns"),
        ):  # fmt: skip
            yield Case(
                name=name, lab=lab, code=code, node=other, kind=kind, remedy=remedy,
                send=asks(question), serve=(f"{other}: {SERVER} {records}",), twin=False,
                mends=False,
            )  # fmt: skip
        yield Case(
            name="healthy: a name is looked up", lab=lab, code="delivered", node=other,
            send=asks("known.lab"), serve=(f"{other}: {SERVER} {records}",), kind="delivered",
        )  # fmt: skip
        yield Case(
            name="no DNS server runs", lab=lab, code="no-listener", node=other,
            send=asks("known.lab"), remedy="start-program", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="a broken delegation", lab=lab, code="dns-server-failure", node=other,
            send=asks("far.lab"), remedy="mend-delegation", twin=False, mends=False,
            serve=(f"{other}: {PYTHON}/nameserver.py {nobody}",),
        )  # fmt: skip
        yield Case(
            name="a DNS server that forwards to nobody", lab=lab, code="dns-silent", node=other,
            send=asks("far.lab"), remedy="mend-delegation", twin=False, mends=False,
            serve=(f"{other}: {SERVER} --server={nobody}",),
        )  # fmt: skip


SERVICES = (*_dhcp(), *_dns())
