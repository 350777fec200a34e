"""PDML is read with bounds, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topoweb.core.packets.pdml import DEPTH_MAX, FIELDS_MAX, TEXT_MAX, Item, PdmlError, parse

HEAD = '<?xml version="1.0"?>\n<!-- a comment -->\n<pdml version="0" creator="wireshark/4.0.17">\n'
GOOD = """<packet>
 <proto name="geninfo" pos="0" size="98"><field name="num" show="1"/></proto>
 <proto name="ip" showname="Internet Protocol" size="20" pos="14">
  <field name="ip.ttl" showname="Time to Live: 64" size="1" pos="22" show="64" value="40">
   <field name="ip.hidden" hide="yes" pos="22" show="x"><field name="below" show="y"/></field>
  </field>
  <field name="" show="only shown" size="0" pos="0"/>
 </proto>
</packet></pdml>"""


def packet(inner: str) -> bytes:
    return f"{HEAD}<packet>{inner}</packet></pdml>".encode()


def test_layers_fields_and_their_bytes() -> None:
    found = parse((HEAD + GOOD).encode())
    assert (found.version, found.more) == ("4.0.17", 0)
    assert found.layers == [
        Item("ip", "Internet Protocol", "", 14, 34, [
            Item("ip.ttl", "Time to Live: 64", "64", 22, 23),
            Item("", "only shown", "only shown", 0, 0),
        ])
    ]  # fmt: skip


BOMB = """<!DOCTYPE pdml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><pdml><packet>
<proto name="x" showname="&b;"/></packet></pdml>"""
OUTSIDE = '<!DOCTYPE pdml SYSTEM "file:///etc/passwd"><pdml/>'


@pytest.mark.parametrize(
    "text", ["", "no xml", "<pdml>", HEAD + GOOD[:-9], BOMB, OUTSIDE, "<pdml>&lt;&x;</pdml>", "\0"]
)
def test_what_is_no_pdml_is_refused(text: str) -> None:
    with pytest.raises(PdmlError):
        parse(text.encode())


def test_bounds() -> None:
    many = parse(packet("<proto name='p'>" + "<field name='f'/>" * (FIELDS_MAX + 9) + "</proto>"))
    assert len(many.layers[0].fields) == FIELDS_MAX - 1
    assert many.more == 10
    deep = parse(packet("<field name='f'>" * 5000 + "</field>" * 5000))
    depth, items = 0, deep.layers
    while items:
        depth, items = depth + 1, items[0].fields
    assert depth == DEPTH_MAX
    assert deep.more == 1
    long = parse(
        packet(f"<proto name='{'n' * 9999}' showname='{'&#9;x' * 9999}' pos='{'9' * 99}'/>")
    )
    assert len(long.layers[0].name) == TEXT_MAX
    assert len(long.layers[0].label) == TEXT_MAX + 1
    assert long.layers[0].label.isprintable()
    assert long.layers[0].start == 0


@given(st.text(alphabet="<>/=\"'& \napfieldrotmns;!?-[]0", max_size=200), st.booleans())
def test_any_text(text: str, inside: bool) -> None:
    try:
        found = parse(packet(text) if inside else text.encode())
    except PdmlError:
        return
    assert found.more >= 0
