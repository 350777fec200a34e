"""macvlan children of one parent: h6 and h7 on h1's interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.verdicts.case import Case, ping

if TYPE_CHECKING:
    from collections.abc import Iterator


def _cases() -> Iterator[Case]:
    for lab in ("hung", "hung_on_switch"):
        for mode in ("private", "vepa"):
            yield Case(
                name=f"macvlans in mode {mode}", lab=lab, send=ping("h6", "10.0.1.22"),
                code="macvlan-apart", node="h6", remedy="set-macvlan-bridge", breaks=(
                    f"h6: ip link set mv0 type macvlan mode {mode}",
                    f"h7: ip link set mv0 type macvlan mode {mode}",
                ),
                mends=False,
            )  # fmt: skip
        yield Case(
            name="a macvlan asks its own parent", lab=lab, send=ping("h6", "10.0.1.10"), node="h6",
            code="macvlan-parent", remedy="hang-host-on-macvlan", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="a parent asks its own macvlan", lab=lab, send=ping("h1", "10.0.1.21"), node="h1",
            code="macvlan-parent", remedy="hang-host-on-macvlan", twin=False, mends=False,
        )  # fmt: skip
        yield Case(
            name="healthy: a macvlan and the router", lab=lab, send=ping("h6", "10.0.1.1"),
            code="delivered", node="r1", kind="delivered",
        )  # fmt: skip


MACVLANS = tuple(_cases())
