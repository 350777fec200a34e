"""All fields by name, and those that are nearly meant by an unknown one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from topoweb.core.packets.filter.frame_fields import FRAME, OWN
from topoweb.core.packets.filter.network_fields import ICMP, IP
from topoweb.core.packets.filter.transport_fields import DHCP, DNS, HTTP, TCP
from topoweb.core.packets.filter.values import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.packets.filter.field import Field

FIELDS: Mapping[str, Field] = {
    one.name: one for one in (*OWN, *FRAME, *IP, *ICMP, *TCP, *DNS, *DHCP, *HTTP)
}
# Names from elsewhere: tcpdump, ip(8), older versions of Wireshark.
OTHERWISE = {
    "bootp": "dhcp", "ethernet": "eth", "ipv4": "ip", "ip4": "ip", "ip6": "ipv6", "icmp6": "icmpv6",
    "host": "ip.addr", "src": "ip.src", "dst": "ip.dst", "port": "tcp.port", "ttl": "ip.ttl",
    "mac": "eth.addr", "drop": "dropped", "http.request": "http.request.method",
    "tcp.flags.rst": "tcp.flags.reset", "tcp.flags.psh": "tcp.flags.push", "name": "node",
    "http.response": "http.response.code", "tcp.window_size": "tcp.window_size_value",
}  # fmt: skip
SUGGESTIONS = 3
# What each operator asks; the sign first, then its words.
OPERATOR_TEXTS = (
    ("==", ("eq", "any_eq"), "equal: any value of the packet", "等于(数据包的任一值)"),
    ("!=", ("ne", "all_ne"), "not equal: no value of the packet", "不等于(数据包的所有值)"),
    ("===", ("all_eq",), "equal: every value of the packet", "等于(数据包的所有值)"),
    ("!==", ("any_ne",), "not equal: any value of the packet", "不等于(数据包的任一值)"),
    (">", ("gt",), "greater", "大于"),
    ("<", ("lt",), "less", "小于"),
    (">=", ("ge",), "greater or equal", "大于或等于"),
    ("<=", ("le",), "less or equal", "小于或等于"),
    ("in", (), "in a set of values, ranges and prefixes: {80, 8000..8100}",
     "在集合中:{80, 8000..8100}"),
    ("contains", (), "has this text, or these bytes", "包含此文本或这些字节"),
    ("matches", ("~",), "matches a regular expression, without case", "匹配正则表达式(不分大小写)"),
    ("&", ("bitand",), "has these bits", "含有这些比特位"),
    ("&&", ("and",), "both", "且"),
    ("||", ("or",), "one of both", "或"),
    ("!", ("not",), "not", "非"),
)  # fmt: skip


def nearest(name: str) -> tuple[str, ...]:
    """Return the fields that may have been meant by an unknown name, best first."""
    lower = name.lower()
    meant = [OTHERWISE[lower]] if lower in OTHERWISE else []
    close = get_close_matches(lower, FIELDS, SUGGESTIONS, 0.6)
    begun = [one for one in FIELDS if one.startswith(lower)]
    return tuple(dict.fromkeys([*meant, *close, *begun]))[:SUGGESTIONS]


def described() -> dict[str, Any]:
    """Return all fields and operators for a page that completes what is typed."""
    return {
        "fields": [
            {
                "name": one.name,
                "kind": one.kind,
                "text": {"en": one.en, "zh-CN": one.zh},
                "example": one.example,
                "values": list(one.values),
                "operators": list(operators(one)),
            }
            for one in FIELDS.values()
        ],
        "operators": [
            {"sign": sign, "words": list(words), "text": {"en": en, "zh-CN": zh}}
            for sign, words, en, zh in OPERATOR_TEXTS
        ],
    }


def operators(field: Field) -> tuple[str, ...]:
    """Return what may be asked of a field; of ``dropped`` there is nothing but itself."""
    return () if field.name == "dropped" else OPERATORS[field.kind]
