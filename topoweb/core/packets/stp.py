"""LLC (IEEE 802.2) and the bridge protocol data units of STP and RSTP (IEEE 802.1D-2004 §9)."""

from __future__ import annotations

from topoweb.core.packets.block import Block, flag, hex16, named
from topoweb.core.packets.layer import Next

BPDU_SAP = 0x42
KINDS = {0x00: "configuration", 0x02: "rapid", 0x80: "topology change notification"}
ROLES = {0: "unknown", 1: "alternate or backup", 2: "root", 3: "designated"}
CONFIGURATION = 35  # bytes


def dissect_llc(block: Block) -> Next:
    """Service access points and control."""
    destination = block.number("dsap", "DSAP", 1, lambda value: f"0x{value:02x}")
    block.number("ssap", "SSAP", 1, lambda value: f"0x{value:02x}")
    block.number("control", "Control", 1, lambda value: f"0x{value:02x}")
    block.summary = "spanning tree" if destination == BPDU_SAP else f"SAP 0x{destination:02x}"
    return Next("stp" if destination == BPDU_SAP else "data", block.position, block.end)


def dissect(block: Block) -> None:
    """A configuration, rapid or topology change BPDU."""
    block.number("protocol_id", "Protocol identifier", 2, hex16)
    block.number("version", "Version", 1, named({0: "STP", 2: "RSTP", 3: "MSTP"}))
    kind = block.number("type", "Type", 1, named(KINDS))
    block.summary = KINDS.get(kind, f"type {kind}")
    if kind not in (0x00, 0x02):
        return
    _flags(block, rapid=kind == 0x02)
    root = _bridge(block, "root", "Root bridge")
    cost = block.number("root_cost", "Root path cost", 4)
    _bridge(block, "bridge", "Bridge")
    port = block.number("port", "Port", 2, hex16)
    for name, label in (
        ("message_age", "Message age"),
        ("max_age", "Maximum age"),
        ("hello_time", "Hello time"),
        ("forward_delay", "Forward delay"),
    ):
        block.number(name, label, 2, lambda value: f"{value / 256:g} s")
    block.summary = _text(kind, root, cost, port)
    if kind == 0x02 and block.left:
        block.number("version_1_length", "Version 1 length", 1)


def _flags(block: Block, *, rapid: bool) -> None:
    bits = block.peek(1)
    with block.group("flags", "Flags") as group:
        block.take(1)
        group.value = f"0x{bits:02x}"
        block.add("topology_change", "Topology change", flag(bits & 1), 1)
        block.add("topology_change_ack", "Topology change acknowledged", flag(bits & 0x80), 1)
        if rapid:
            block.add("proposal", "Proposal", flag(bits & 2), 1)
            block.add("port_role", "Port role", ROLES[bits >> 2 & 3], 1)
            block.add("learning", "Learning", flag(bits & 0x10), 1)
            block.add("forwarding", "Forwarding", flag(bits & 0x20), 1)
            block.add("agreement", "Agreement", flag(bits & 0x40), 1)


def _bridge(block: Block, name: str, label: str) -> str:
    with block.group(name, label) as group:
        priority = block.number("priority", "Priority", 2)
        group.value = f"{priority}/{block.mac('mac', 'MAC')}"
    return group.value


def _text(kind: int, root: str, cost: int, port: int) -> str:
    return f"{KINDS[kind]} root {root} cost {cost} port {hex16(port)}"


def brief(data: bytes, at: int) -> str:
    """Return the info text of the BPDU after the LLC header. IndexError when it is cut off."""
    kind = data[at + 3]
    if kind not in (0x00, 0x02):
        return KINDS.get(kind, f"type {kind}")
    if len(data) < at + CONFIGURATION:
        raise IndexError
    root = f"{data[at + 5] << 8 | data[at + 6]}/{data[at + 7 : at + 13].hex(':')}"
    cost = int.from_bytes(data[at + 13 : at + 17], "big")
    return _text(kind, root, cost, data[at + 25] << 8 | data[at + 26])
