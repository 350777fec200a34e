"""Recordings made up: by hand for what is played, by hypothesis for what is written and read."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.tracer_bench import frame
from topoweb.core.tracing.observation import Observation, Unseen
from topoweb.core.tracing.recording import Capture, Heard, Recording, Sighting, Station, Way

NOW = 1_763_871_000
DOCUMENT: dict[str, Any] = {
    "format": "topoweb", "version": 1, "name": "lab", "description": "", "auto_address": True,
    "nodes": {"n1": {"kind": "host", "name": "h1", "x": 0, "y": 0},
              "n2": {"kind": "router", "name": "<script>", "x": 9, "y": 0}},
    "interfaces": {"i1": {"node": "n1", "name": "eth0"}, "i2": {"node": "n2", "name": "eth0"}},
    "links": {"l1": {"kind": "veth", "a": "i1", "b": "i2"}},
    "routes": {}, "notes": {}, "groups": {}, "services": {},
}  # fmt: skip
WORDS = {"en": "{name:n2} does not forward.", "zh-CN": "{name:n2} 不转发。"}
VERDICT: dict[str, Any] = {
    "code": "forwarding-off", "kind": "fault", "node": "n2", "interface": "eth0", "params": {},
    "text": WORDS, "evidence": [], "seen": True, "packet": 1, "reason": "IP_INADDRERRORS",
    "symbol": "ip_error",
    "remedy": {"code": "forwarding-on", "params": {}, "text": WORDS, "node": "n2",
               "commands": ["sysctl -w net.ipv4.ip_forward=1"], "operation": None},
}  # fmt: skip
END: dict[str, Any] = {
    "packet": 1, "time": NOW + 0.2, "node": "n2", "interface": "eth0", "link": "l1",
    "direction": "ab", "verdict": VERDICT, "repeated": 0,
}  # fmt: skip
EXCHANGE: dict[str, Any] = {
    "id": 1, "kind": "echo", "source": "10.0.1.11", "target": "10.0.2.11", "port": 0, "title": "",
    "request": 1, "requests": 1, "replies": 0, "packets": [1], "began": NOW + 0.1,
    "ended": NOW + 0.2, "state": "unanswered", "verdict": VERDICT,
}  # fmt: skip
LIVE: dict[str, Any] = {
    "rev": 1, "full": True, "time": NOW + 0.0, "warnings": {},
    "nodes": {"n1": {"present": False, "interfaces": {}, "drift": []}},
    "links": {"l1": {"state": "up", "rate_ab": 1.5, "rate_ba": 0.0, "pps_ab": 0.0, "pps_ba": 0.0}},
}  # fmt: skip


def seen(node: str, direction: str, after: float, ttl: int = 64, **more: Any) -> Observation:
    data = frame(1, ttl)
    link = {} if direction == "drop" else {"link": "l1"}
    at = NOW * 1_000_000_000 + int(after * 1e9)
    return Observation(at, node, "eth0", direction, data, len(data), **link, **more)


def lost_ping() -> Recording:
    """A ping that a router with forwarding off drops; its first cable is the list's only row."""
    sightings = (
        Sighting(seen("n1", "tx", 0.1), 1, 1),
        Sighting(seen("n2", "rx", 0.11), 1),
        Sighting(seen("n2", "drop", 0.2, reason="IP_INADDRERRORS", symbol="ip_error"), 1),
    )
    stations = (Station(0, -1, "first"), Station(1, 0, "buffer"), Station(2, 1, "buffer"))
    capture = Capture(
        "bpf",
        NOW,
        NOW + 10.0,
        sightings,
        (Way(1, stations),),
        (END,),
        (Heard(NOW + 1.2, EXCHANGE),),
    )
    later = {**LIVE, "rev": 2, "full": False, "time": NOW + 5.0, "nodes": {"n1": None}}
    return Recording("lost", DOCUMENT, ((NOW + 0.0, LIVE), (NOW + 5.0, later)), capture)


IDS = st.text("abcXYZ019_-", min_size=1, max_size=40)
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
MOMENTS = st.integers(0, 600_000).map(lambda ms: NOW + ms / 1000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
OBJECTS = st.dictionaries(WORD, JSON, max_size=3)


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    """Any capture that the format can hold, sensible or not."""
    sightings: list[Sighting] = []
    row = 0
    for _ in range(draw(st.integers(0, 8))):
        direction = draw(st.sampled_from(["rx", "tx", "drop"]))
        data = draw(st.binary(max_size=80))
        one = Observation(
            int(draw(MOMENTS) * 1000) * 1_000_000 + draw(st.integers(0, 999_999)),
            draw(IDS),
            draw(WORD),
            direction,
            data,
            len(data) + draw(st.integers(0, 9000)),
            link="" if direction == "drop" else draw(IDS),
            along=draw(st.sampled_from(["ab", "ba"])),
            reason=draw(WORD),
            symbol=draw(WORD),
            segments=draw(st.integers(0, 40)),
        )
        listed = direction != "drop" and draw(st.booleans())
        row += listed
        sightings.append(Sighting(one, draw(st.integers(1, 4)), row if listed else 0))
    return Capture(
        draw(st.sampled_from(["bpf", "afpacket"])),
        NOW + 0.0,
        NOW + 600.0,
        tuple(sightings),
        tuple(_ways(draw, sightings)),
        (),
        tuple(
            Heard(draw(MOMENTS), {**EXCHANGE, "packets": [number], "more": draw(JSON)})
            for number in range(draw(st.integers(0, 3)))
        ),
        unseen=Unseen(*draw(st.tuples(*[st.integers(0, 1 << 40)] * 3))),
    )


def _ways(draw: st.DrawFn, sightings: list[Sighting]) -> list[Way]:
    ways = []
    for packet in {one.packet for one in sightings}:
        own = [at for at, one in enumerate(sightings) if one.packet == packet]
        stations: list[Station] = []
        for place, at in enumerate(own):
            parent = draw(st.integers(-1, place - 1))
            how = draw(st.sampled_from(["first", "buffer", "content", "nat", "tunnel"]))
            stations.append(Station(at, parent, how))
        if stations and draw(st.booleans()):
            inferred = Station(own[0], len(stations) - 1, "inferred", draw(IDS), draw(WORD))
            stations.append(inferred)
        ways.append(Way(packet, tuple(stations), draw(st.integers(0, 9))))
    return ways


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    capture = draw(captures())
    moments = sorted(draw(st.lists(MOMENTS, max_size=4)))
    live = tuple((moment, draw(OBJECTS)) for moment in moments)
    name = draw(st.text(st.characters(codec="utf-8"), max_size=60))
    return Recording(name, {"nodes": {}, "any": draw(JSON)}, live, capture)
