"""DHCP client of an interface: udhcpc with a script of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.programs import Command, Recipe
from topoweb.core.topology.services.dns import is_domain
from topoweb.kernel.services.scripts import script

if TYPE_CHECKING:
    from topoweb.core.topology.model import Interface
    from topoweb.kernel.services.stand import Stand

PROGRAM, PACKAGE = "/sbin/udhcpc", "udhcpc"


def recipe(interface: Interface, stand: Stand, identity: str) -> Recipe:
    """Ask for an address. ``identity`` changes when the device is another: it asks anew then."""
    name = stand.site.node.name
    known = name if is_domain(name) else ""
    arguments = ("/bin/sh", f"{stand.seen}/start.sh", stand.seen, interface.name, known)
    return Recipe(
        kind=stand.kind,
        node=stand.node,
        place=stand.place,
        command=Command(
            arguments=arguments, directory="/", environment={"TOPOWEB_DEVICE": identity}
        ),
        files={"start.sh": script("udhcpc-start.sh"), "udhcpc.sh": script("udhcpc.sh")},
        needs={PROGRAM: PACKAGE},
    )
