"""What may be asked of a probe: TCP and UDP need a port, the others have none."""

from __future__ import annotations

import pytest

from tests.unit.core.drawing import two_hosts
from topoweb.core.errors import TopowebError
from topoweb.labs.probes import ProbeWish, check_probe


@pytest.mark.parametrize(
    ("kind", "port", "path"),
    [
        ("ping", None, ""),
        ("traceroute", None, ""),
        ("tcp", 80, ""),
        ("udp", 53, ""),
        ("ping", 80, "/port"),
        ("tcp", None, "/port"),
        ("udp", None, "/port"),
        ("udp", 65536, "/port"),
        ("sctp", 80, "/kind"),
    ],
)
def test_ports_go_with_their_kinds(kind: str, port: int | None, path: str) -> None:
    wish = ProbeWish(kind=kind, source="h1", target="h2", port=port)
    if not path:
        check_probe(two_hosts().parse(), wish)
        return
    with pytest.raises(TopowebError) as refused:
        check_probe(two_hosts().parse(), wish)
    assert refused.value.path == path
