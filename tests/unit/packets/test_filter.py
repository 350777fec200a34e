"""Display filters: what they mean beyond Wireshark's, what they refuse, their bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.packets import capture, filter_page, wire
from topoweb.core.packets import decode, summary
from topoweb.core.packets.filter import (
    FIELDS,
    Fate,
    Filter,
    FilterError,
    Subject,
    annotated,
    described,
)
from topoweb.core.packets.filter.errors import THINGS, WORDS
from topoweb.core.packets.filter.fields import OPERATOR_TEXTS, operators
from topoweb.core.packets.filter.lexer import LENGTH_MAX
from topoweb.core.packets.filter.parser import CONDITIONS_MAX, DEPTH_MAX
from topoweb.core.packets.filter.values import written
from topoweb.core.packets.filter.walk import walk

SAMPLES = wire.samples()
LAYERS = {
    "eth": "Ethernet", "vlan": "VLAN", "llc": "LLC", "stp": "STP", "arp": "ARP", "ip": "IPv4",
    "ipv6": "IPv6", "icmp": "ICMP", "icmpv6": "ICMPv6", "udp": "UDP", "tcp": "TCP", "dns": "DNS",
    "dhcp": "DHCP", "http": "HTTP", "data": "Data",
}  # fmt: skip


def subject(frame: str = "echo", **where: Any) -> Subject:
    return Subject(SAMPLES[frame], len(SAMPLES[frame]), **where)


def passes(expression: str, frame: str = "echo", **where: Any) -> bool:
    return Filter(expression).passes(subject(frame, **where))


def error(expression: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        Filter(expression)
    return caught.value


@pytest.mark.parametrize("expression", ["", "   ", "\n"])
def test_an_empty_filter_lets_everything_pass(expression: str) -> None:
    assert passes(expression)


def test_our_own_fields() -> None:
    here: dict[str, Any] = {"nodes": ("n1", "n2"), "link": "l1", "direction": "ab"}
    for expression in (
        'node == "n1"', 'node == "n2"', 'node != "n3"', 'node in {"n3", "n1"}', 'link == "l1"',
        'direction == "ab"', 'link != "l2" and direction in {"ab"}', "not dropped", "!verdict",
    ):  # fmt: skip
        assert passes(expression, **here), expression
    for expression in ('node == "n3"', 'node != "n1"', 'direction == "ba"', "dropped", "verdict"):
        assert not passes(expression, **here), expression


def test_a_name_stands_for_what_the_drawing_calls_so() -> None:
    objects = {"node": {"r1": frozenset({"n7", "n9"})}, "link": {"h1-r1": frozenset({"l4"})}}
    asked = Filter('node == "r1" and link in {"h1-r1"}', objects)
    assert asked.passes(subject(nodes=("n9", "n1"), link="l4"))
    assert not asked.passes(subject(nodes=("r1", "n1"), link="l4"))
    assert not asked.passes(subject(nodes=("n7", "n1"), link="l5"))
    assert [(field, token.value) for field, token in asked.parsed.names] == [
        ("node", "r1"), ("link", "h1-r1"),
    ]  # fmt: skip


def test_what_became_of_a_packet() -> None:
    lost = Fate(dropped=True, verdict="no-route")
    assert passes('dropped and verdict == "no-route"', fate=lost)
    assert passes('verdict contains "route" && verdict matches "^no"', fate=lost)
    assert not passes('verdict != "no-route"', fate=lost)
    assert Filter("icmp && dropped").late
    assert Filter('verdict == "x"').late
    assert not Filter("icmp").late


def test_older_sets_without_commas_are_read_too() -> None:
    assert passes("ip.ttl in {1 2 60..64}")
    assert not passes("ip.ttl in {1 2 65..70}")


def test_words_and_signs_mean_the_same() -> None:
    for sign, words, *_ in OPERATOR_TEXTS:
        for word in words:
            if sign in ("==", "!=", "===", "!==", ">", "<", ">=", "<="):
                for value in (63, 64, 65):
                    pair = [passes(f"ip.ttl {one} {value}") for one in (sign, word)]
                    assert pair[0] == pair[1], (sign, word, value)


@pytest.mark.parametrize(
    ("expression", "code", "position", "length"),
    [
        ("ip.adr == 1.2.3.4", "filter-unknown-field", 0, 6),
        ("arp or foo", "filter-unknown-field", 7, 3),
        ("ip.ttl = 3", "filter-assignment", 7, 1),
        ("ip.ttl == 3 ;", "filter-character", 12, 1),
        ("dns.qry.name == \"www", "filter-open-text", 16, 4),
        ('dns.qry.name == "a\\q"', "filter-escape", 18, 2),
        ("ip.ttl ==", "filter-end", 9, 0),
        ("arp and", "filter-end", 7, 0),
        ("(arp", "filter-end", 4, 0),
        ("arp)", "filter-unexpected", 3, 1),
        ("arp icmp", "filter-unexpected", 4, 4),
        ("== 3", "filter-unexpected", 0, 2),
        ('"x" == http.host', "filter-unexpected", 0, 3),
        ("ip.ttl in {}", "filter-value", 11, 1),
        ("ip.ttl in {1,}", "filter-unexpected", 13, 1),
        ("ip.ttl in {1", "filter-end", 12, 0),
        ("ip.ttl not 3", "filter-unexpected", 11, 1),
        ("tcp == 1", "filter-no-value", 4, 2),
        ("dropped == 1", "filter-no-value", 8, 2),
        ("ip.ttl contains 3", "filter-operator", 7, 8),
        ('node contains "r"', "filter-operator", 5, 8),
        ("ip.ttl == abc", "filter-value", 10, 3),
        ("ip.ttl == -1", "filter-value", 10, 2),
        ("ip.ttl == 1.5", "filter-value", 10, 3),
        ("ip.addr == 10.0.0", "filter-value", 11, 6),
        ("ip.addr == 10.0.0.0/33", "filter-value", 11, 11),
        ("ip.addr == 010.0.0.1", "filter-value", 11, 9),
        ('ip.src == "10.0.0.1"', "filter-value", 10, 10),
        ("ipv6.src == fe80", "filter-value", 12, 4),
        ("eth.src == 02:00:00:00:00", "filter-value", 11, 14),
        ("http.host == lab", "filter-value", 13, 3),
        ("verdict == no-route", "filter-value", 11, 8),
        ("ip.ttl == 256", "filter-too-big", 10, 3),
        ("vlan.id == 4096", "filter-too-big", 11, 4),
        ("tcp.flags.syn == 2", "filter-too-big", 17, 1),
        ("ip.addr > 10.0.0.0/8", "filter-prefix", 10, 10),
        ("ip.ttl in {9..1}", "filter-range", 11, 4),
        ('http.host in {"a".."b"}', "filter-range", 14, 8),
        ("ip.src == eth.src", "filter-types", 10, 7),
        ("node == link", "filter-types", 8, 4),
        ("node == ip1", "filter-value", 8, 3),
        ('http.host matches "a("', "filter-regex", 18, 4),
        ('http.host matches "(a{60}){60}"', "filter-regex-large", 18, 13),
        ("any arp", "filter-end", 7, 0),
    ],
)  # fmt: skip
def test_an_error_names_its_place(expression: str, code: str, position: int, length: int) -> None:
    found = error(expression)
    assert (found.code, found.position, found.length) == (code, position, length)
    for words in (found.text(), found.hint()):
        assert set(words) == {"en", "zh-CN"}
    assert all(found.text().values())


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("ip.adr == 1.2.3.4", "ip.addr"),
        ("tcp.prot == 80", "tcp.port"),
        ("http.request", "http.request.method"),
        ("tcp.flags.rst == 1", "tcp.flags.reset"),
        ("bootp", "dhcp"),
        ("dns.qry.nam", "dns.qry.name"),
        ("http.host == lab", '"lab"'),
        ('ip.src == "10.0.0.1"', "10.0.0.1"),
        ("ip.ttl = 3", "=="),
    ],
)
def test_a_suggestion_can_be_put_in_as_it_is(expression: str, meant: str) -> None:
    found = error(expression)
    assert found.suggestions[0] == meant
    end = found.position + found.length
    mended = expression[: found.position] + meant + expression[end:]
    Filter(mended)


def test_a_word_is_named_as_it_was_written() -> None:
    assert error("arp and or").params["found"] == "or"
    assert error("arp && ||").params["found"] == "||"


def test_what_is_not_like_anything_has_no_remedy() -> None:
    found = error("xyzzyplugh == 1")
    assert found.suggestions == ()
    assert found.hint() == {"en": "", "zh-CN": ""}


def test_bounds() -> None:
    assert error("a" * (LENGTH_MAX + 1)).code == "filter-too-long"
    Filter("(" * DEPTH_MAX + "arp" + ")" * DEPTH_MAX)
    assert error("(" * (DEPTH_MAX + 1) + "arp" + ")" * (DEPTH_MAX + 1)).code == "filter-too-deep"
    assert error("!" * 100 + "arp").code == "filter-too-deep"
    Filter("||".join(["arp"] * CONDITIONS_MAX))
    assert error("||".join(["arp"] * (CONDITIONS_MAX + 1))).code == "filter-too-many"
    assert error("ip.ttl in {" + " ".join(["1"] * 100) + "}").code == "filter-too-many"


def test_each_code_says_the_same_in_both_languages() -> None:
    def places(template: str) -> set[str]:
        return {part.split("}")[0] for part in template.replace("{{", "").split("{")[1:]}

    for code, words in WORDS.items():
        assert places(words.en) == places(words.zh), code
        assert places(words.hint_en) == places(words.hint_zh), code
        assert bool(words.hint_en) == bool(words.hint_zh), code
    assert all(en and zh for en, zh in THINGS.values())


def test_every_field_is_described_and_its_example_is_right() -> None:
    for one in FIELDS.values():
        assert one.en
        assert one.zh
        parsed = Filter(one.example).parsed
        assert parsed.fields == (one.name,), one.name
        for value in one.values:
            Filter(f"{one.name} == {value}")
        for sign in operators(one):
            assert sign in {sign for sign, *_ in OPERATOR_TEXTS}
    shown = described()
    assert len(shown["fields"]) == len(FIELDS) > 100
    assert {"name", "kind", "text", "example", "values", "operators"} == set(shown["fields"][0])


def bits(data: bytes, length: int) -> list[tuple[str, int]]:
    """Layers as the decoder has them, where it did not find them broken at once."""
    return [
        (layer.protocol, layer.start)
        for layer in decode(data, length)
        if layer.protocol in LAYERS.values() and layer.end > layer.start
    ]


def walked(data: bytes, length: int) -> list[tuple[str, int]]:
    found = walk(data, length)
    spans = [
        (LAYERS[name], span.start) for name in found if name != "frame" for span in found[name]
    ]
    return sorted(spans, key=lambda one: one[1])


@pytest.mark.parametrize("number", range(len(capture.frames())))
def test_the_walk_finds_the_decoders_layers(number: int) -> None:
    data, length = capture.frames()[number]
    over_tcp = {("DNS", start + 2) for name, start in bits(data, length) if name == "DNS"}
    assert {one for one in walked(data, length) if one not in over_tcp} == {
        one for one in bits(data, length) if (one[0], one[1] + 2) not in walked(data, length)
    }


def test_the_page_about_filters_is_fresh() -> None:
    assert filter_page.PAGE.read_text(encoding="utf-8") == filter_page.written()


def offered(fields: list[Any]) -> list[str]:
    below = [text for one in fields for text in offered(one["fields"])]
    return [one["filter"] for one in fields if "filter" in one] + below


@pytest.mark.parametrize("number", range(len(capture.frames())))
def test_what_is_offered_at_a_field_finds_the_packet_again(number: int) -> None:
    data, length = capture.frames()[number]
    layers = annotated(decode(data, length), data, length)
    found = [one["filter"] for one in layers if one["protocol"] != "Padding" and "filter" in one]
    for one in layers:
        found += offered(one["fields"])
    assert len(found) > 3
    assert [text for text in found if not Filter(text).passes(Subject(data, length))] == []


def test_all_fields_are_offered_somewhere() -> None:
    texts: set[str] = set()
    for data, length in capture.frames():
        for one in annotated(decode(data, length), data, length):
            texts |= {text.split(" ")[0] for text in offered(one["fields"])}
    assert not {one.name for one in FIELDS.values() if one.decoded} - texts
    assert len(texts) > 80


@given(st.sampled_from(capture.frames()), st.integers(0, 200), st.data())
def test_a_frame_that_is_cut_or_bent_never_raises(
    frame: tuple[bytes, int], cut: int, data: st.DataObject
) -> None:
    bent = bytearray(frame[0][:cut])
    for _ in range(3 if bent else 0):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    one = Subject(bytes(bent), frame[1])
    for field in FIELDS.values():
        if field.read is not None:
            for span in one.spans.get(field.layer, ()):
                for value in field.read(one, span):
                    assert not isinstance(value, int) or value >= 0


@given(st.text(alphabet='ip.ttlarpeqd!&|()={}<> 0123456789/"\\:,-~', max_size=60))
def test_any_text_is_a_filter_or_an_error_with_a_place(text: str) -> None:
    found = None
    try:
        Filter(text).passes(subject())
    except FilterError as caught:
        found = caught
    if found is not None:
        assert 0 <= found.position <= len(text)
        assert 0 <= found.length <= len(text) - found.position
        assert all(found.text().values())


ATOMS = st.sampled_from(["arp", "icmp", "ip.ttl == 64", "tcp.port in {80, 8000}", "ip.ttl", "udp",
                         "ip.src == 10.0.1.0/24", "ipv6.hlim > 1"])  # fmt: skip
TREES = st.recursive(
    ATOMS.map(lambda one: (one, one)),
    lambda inner: st.one_of(
        inner.map(lambda one: (f"!({one[0]})", ("not", one[1]))),
        st.tuples(inner, inner).map(
            lambda two: (f"({two[0][0]}) and ({two[1][0]})", ("and", two[0][1], two[1][1]))
        ),
        st.tuples(inner, inner).map(
            lambda two: (f"({two[0][0]}) or ({two[1][0]})", ("or", two[0][1], two[1][1]))
        ),
    ),
    max_leaves=8,
)


def truth(tree: Any, one: Subject) -> bool:
    match tree:
        case ("not", inner):
            return not truth(inner, one)
        case ("and", left, right):
            return truth(left, one) and truth(right, one)
        case ("or", left, right):
            return truth(left, one) or truth(right, one)
    return Filter(tree).passes(one)


@given(TREES, st.sampled_from(capture.frames()))
def test_logic(tree: tuple[str, Any], frame: tuple[bytes, int]) -> None:
    if len(tree[0]) <= LENGTH_MAX:
        one = Subject(*frame)
        assert Filter(tree[0]).passes(one) == truth(tree[1], one)


@given(st.sampled_from(list(FIELDS.values())), st.sampled_from(capture.frames()))
def test_any_and_all(field: Any, frame: tuple[bytes, int]) -> None:
    """`==` and `!==`, `!=` and `===` share out the packets that have the field."""
    one = Subject(*frame)
    if field.read is None or field.kind == "name":
        return
    values = [value for span in one.spans.get(field.layer, ()) for value in field.read(one, span)]
    for value in {*values[:2]}:
        text = written(field.kind, value)
        outcomes = {
            sign: Filter(f"{field.name} {sign} {text}").passes(one)
            for sign in ("==", "!=", "===", "!==")
        }
        assert outcomes == {
            "==": True,
            "!=": False,
            "===": len(set(values)) == 1,
            "!==": len(set(values)) > 1,
        }


def test_a_filter_costs_microseconds() -> None:
    """Against the packet's own summary, which every packet costs anyway: a ratio, not a time."""
    frames = capture.frames()
    asked = Filter("ip.addr == 10.0.2.0/24 && (tcp.port == 80 || udp.port == 53 || icmp.type == 8)")

    def cost(work: Any) -> float:
        best = 1e9
        for _ in range(5):
            began = time.process_time()
            for data, length in frames * 5:
                work(data, length)
            best = min(best, time.process_time() - began)
        return best

    ratio = cost(lambda data, length: asked.passes(Subject(data, length))) / cost(summary)
    assert ratio < 8, ratio
