from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator

from topoweb.labs.messages import browser_schema
from topoweb.worker.management.commands.export_contracts import contracts


def test_contracts_in_docs_are_fresh(settings):
    for name, text in contracts().items():
        stored = (settings.ROOT / "docs" / name).read_text(encoding="utf-8")
        assert stored == text, f"docs/{name} is not fresh: manage.py export_contracts"


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize(
    ("name", "message", "right"),
    [
        ("BrowserMessage", {"type": "open", "stream": "live", "params": {}}, True),
        ("BrowserMessage", {"type": "open", "stream": "door"}, False),
        ("BrowserMessage", {"type": "credit", "stream": "live", "credit": 1}, True),
        ("BrowserMessage", {"type": "credit", "stream": "live", "credit": 1, "x": 1}, False),
        (
            "ServerMessage",
            {"type": "notice", "code": "stream-away", "stream": "live", "message": "…"},
            True,
        ),
        ("ServerMessage", {"type": "hello"}, False),
        (
            "PacketsPayload",
            {"gap": 0, "lost": 0, "tier": "afpacket", "rows": [
                [41, 1763871000.123456, "l1", "ab", 7, "ICMP", "10.0.1.11", "10.0.2.11",
                 "echo request id 3 seq 1 ttl 64", 98, ""]]},
            True,
        ),
    ],
)  # fmt: skip
def test_browser_schema_tells_right_from_wrong(name, message, right):
    schema = browser_schema()
    validator = Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})
    assert validator.is_valid(json.loads(json.dumps(message))) is right
