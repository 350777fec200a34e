"""A running lab is edited, undone, and changed behind the product's back."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.editor import PATIENCE, Editor

if TYPE_CHECKING:
    from tests.browser.product import Product

# One composition is enough: how the kernel is reached differs, what the page shows does not.
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="looks into namespaces as root"),
    pytest.mark.parametrize("product", ["root"], indirect=True),
]


@pytest.fixture
def lab(editor: Editor) -> int:
    """The demo drawing, running, with pc1 selected."""
    lab = editor.api("POST", "/labs", {"template": "two-subnets"})["id"]
    editor.api("POST", f"/labs/{lab}/run")
    editor.open(lab)
    editor.phase("running")
    is_up(editor, "pc1")
    return int(lab)


def is_up(editor: Editor, name: str) -> None:
    expect(editor.row(name)).to_have_accessible_name(
        re.compile(f", {editor.t('state.up')},"), timeout=PATIENCE
    )


def live(editor: Editor, node: str, text: str) -> None:
    """Wait until the Live tab, which shows the kernel, has a text."""
    editor.row(node).click()
    editor.tab("live")
    panel = editor.inspector.get_by_role("tabpanel", name=editor.t("inspector.live"))
    expect(panel.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


def kernel(product: Product, lab: int, node: str) -> dict[str, Any]:
    """What `ip` says of a node's eth0."""
    told = json.loads(product.inside(lab, node, "ip", "-json", "address", "show", "dev", "eth0"))
    addresses = [f"{a['local']}/{a['prefixlen']}" for a in told[0]["addr_info"]]
    return {**told[0], "addresses": addresses}


def test_mtu_and_address_reach_the_kernel_and_undo_takes_them_back(
    editor: Editor, lab: int, product: Product
) -> None:
    editor.row("pc1").click()
    editor.open_port("eth0")
    mtu = editor.inspector.get_by_role("textbox", name="MTU")
    mtu.fill("1400")
    mtu.press("Enter")
    live(editor, "pc1", "mtu 1400")
    assert kernel(product, lab, "pc1")["mtu"] == 1400

    editor.row("pc1").click()
    editor.open_port("eth0")
    editor.inspector.get_by_role("textbox", name=editor.t("fields.addAddress")).fill("10.9.8.7/24")
    editor.page.keyboard.press("Enter")
    live(editor, "pc1", "10.9.8.7/24")
    assert "10.9.8.7/24" in kernel(product, lab, "pc1")["addresses"]

    editor.button("actions.undo").click()
    editor.button("actions.undo").click()
    live(editor, "pc1", "mtu 1500")
    told = kernel(product, lab, "pc1")
    assert told["mtu"] == 1500
    assert "10.9.8.7/24" not in told["addresses"]
    editor.button("actions.redo").click()
    live(editor, "pc1", "mtu 1400")


def test_change_shows_as_planned_until_the_kernel_has_it(
    editor: Editor, lab: int, product: Product
) -> None:
    del lab
    with product.frozen("manage.py worker"):
        editor.row("sw1").click()
        editor.canvas.focus()
        editor.page.keyboard.press("h")
        expect(editor.row("h1")).to_have_accessible_name(
            re.compile(f", {editor.t('state.planned')},")
        )
    is_up(editor, "h1")


def test_cable_is_switched_off_and_on(editor: Editor, lab: int, product: Product) -> None:
    editor.row("pc1").click()
    editor.open_port("eth0")
    editor.open_cable("sw1")
    switch = editor.inspector.get_by_role("checkbox", name=editor.t("fields.cableOn"))
    expect(switch).to_be_checked()
    switch.press("Space")
    head = editor.inspector.get_by_text(f"{editor.t('kind.cable')} · {editor.t('state.off')}")
    expect(head).to_be_visible(timeout=PATIENCE)
    assert kernel(product, lab, "pc1")["operstate"] == "DOWN"
    switch.press("Space")
    head = editor.inspector.get_by_text(f"{editor.t('kind.cable')} · {editor.t('state.up')}")
    expect(head).to_be_visible(timeout=PATIENCE)
    assert kernel(product, lab, "pc1")["operstate"] == "UP"


@pytest.mark.parametrize(("choice", "mtu"), [("keep", 1400), ("restore", 1500)])
def test_drift_is_shown_and_settled(
    editor: Editor, lab: int, product: Product, choice: str, mtu: int
) -> None:
    editor.forget_drawn()
    product.inside(lab, "pc1", "ip", "link", "set", "eth0", "mtu", "1400")
    pill = editor.top.get_by_role("button", name=editor.t("topbar.drifts_one", count=1))
    expect(pill).to_be_visible(timeout=PATIENCE)
    expect(editor.row("pc1")).to_have_accessible_name(re.compile(editor.t("outline.drift")))
    editor.drew("≠")
    pill.click()
    card = editor.inspector.get_by_role("region", name=editor.t("inspector.drift"))
    expect(card).to_contain_text("1500")
    expect(card).to_contain_text("1400")
    card.get_by_role("button", name=editor.t(f"inspector.{choice}")).click()
    expect(pill).to_be_hidden(timeout=PATIENCE)
    live(editor, "pc1", f"mtu {mtu}")
    assert kernel(product, lab, "pc1")["mtu"] == mtu
    editor.row("pc1").click()
    editor.open_port("eth0")
    expect(editor.inspector.get_by_role("textbox", name="MTU")).to_have_value(str(mtu))
