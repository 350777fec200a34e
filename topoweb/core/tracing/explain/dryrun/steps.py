"""The stations of a packet that is foretold, in words of both languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from topoweb.core.tracing.explain.catalogue.sentence import Language, Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

Action = Literal["send", "forward", "bridge", "deliver", "reply", "resolve", "drop"]
Leg = Literal["there", "back"]

TEXTS: Mapping[tuple[Action, str], Sentence] = {
    ("send", "tx"): Sentence(
        "{node} sends the packet for {target} out of {interface}.",
        "{node} 从 {interface} 发出去往 {target} 的数据包。",
    ),
    ("reply", "tx"): Sentence(
        "{node} sends its reply to {target} out of {interface}.",
        "{node} 从 {interface} 向 {target} 发出应答。",
    ),
    ("forward", "rx"): Sentence(
        "{node} receives it at {interface} to pass it on.",
        "{node} 在 {interface} 收到它,准备转发。",
    ),
    ("forward", "tx"): Sentence(
        "{node} routes it and sends it out of {interface}.",
        "{node} 为其选路,并从 {interface} 发出。",
    ),
    ("bridge", "rx"): Sentence(
        "The switch {node} receives it at port {interface}.",
        "交换机 {node} 在端口 {interface} 收到它。",
    ),
    ("bridge", "tx"): Sentence(
        "The switch {node} passes it on at port {interface}.",
        "交换机 {node} 从端口 {interface} 转发它。",
    ),
    ("deliver", "rx"): Sentence(
        "It arrives at {node} ({interface}).", "它到达 {node}({interface})。"
    ),
    ("resolve", "tx"): Sentence(
        "{node} asks at {interface} who has {address}.",
        "{node} 在 {interface} 询问谁拥有 {address}。",
    ),
    ("resolve", "rx"): Sentence(
        "The question for {address} comes to {node} at {interface}.",
        "对 {address} 的询问到达 {node} 的 {interface}。",
    ),
    ("drop", "end"): Sentence("It ends at {node}.", "它在 {node} 终止。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One station (docs/protocol.md "Traces and verdicts")."""

    node: str
    interface: str
    direction: Literal["rx", "tx", "end"]
    action: Action
    leg: Leg
    link: str = ""
    along: Literal["ab", "ba"] = "ab"
    params: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> dict[Language, str]:
        """Return what happens here, in words."""
        known = {"node": self.node, "interface": self.interface, **self.params}
        return TEXTS[self.action, self.direction].fill(known)

    def as_json(self) -> dict[str, Any]:
        """Return the Step of docs/protocol.md."""
        return {
            "node": self.node,
            "interface": self.interface,
            "direction": self.direction,
            "link": self.link,
            "along": self.along,
            "action": self.action,
            "params": dict(self.params),
            "text": self.text(),
            "leg": self.leg,
        }
