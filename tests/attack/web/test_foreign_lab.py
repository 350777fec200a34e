"""Another user's lab, by every address that the OpenAPI knows: for a stranger it does not exist."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.test import Client

from tests.attack.register import attack, case
from tests.attack.web import openapi
from tests.attack.web.conftest import SECRET
from topoweb.accounts.services import issue_api_token
from topoweb.labs import services

pytestmark = pytest.mark.django_db
OPERATIONS = {
    f"{method.upper()} {path.removeprefix('/api/v1')}": (method, path, operation)
    for method, path, operation in openapi.operations()
}
OF_A_LAB = {name: one for name, one in OPERATIONS.items() if "{lab_id}" in name}
OPEN = {"GET /session", "POST /session", "POST /session/token"}  # for who is not signed in
OPEN |= {name for name in OPERATIONS if "/shared/" in name}  # whose address is the secret
GUARDED = {name: one for name, one in OPERATIONS.items() if name not in OPEN}
UNSAFE = {name: one for name, one in GUARDED.items() if one[0] != "get"}


def cases(operations, tries, refusal):
    return [case(name, tries.format(name), refusal, *one) for name, one in operations.items()]


def ask(browser, method, path, operation, lab, **headers):
    """Send the smallest request that the operation would take."""
    return browser.generic(
        method.upper(),
        openapi.filled(path, operation, lab.pk),
        json.dumps(openapi.body(operation) or {}),
        content_type="application/json",
        headers=headers,
    )


def everything():
    """All rows of our own tables but the tokens' time of use."""
    models = [m for label in ("labs", "hosts") for m in apps.get_app_config(label).get_models()]
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@pytest.fixture
def intruder(stranger):
    browser = Client()
    browser.force_login(stranger)
    return browser


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    cases(OF_A_LAB, "{} on a lab of somebody else", "404 as for no lab; no row changes"),
)
def test_a_stranger(drawn, intruder, method, path, operation):
    before = everything()
    answer = ask(intruder, method, path, operation, drawn)
    assert answer.status_code == 404
    assert SECRET.encode() not in answer.content
    assert everything() == before
    drawn.pk += 1000  # nobody's: the answer is the same to the letter
    assert ask(intruder, method, path, operation, drawn).content == answer.content


@attack("every address of a lab with a stranger's API token", "404; no row changes")
def test_a_strangers_token(drawn, stranger):
    token = issue_api_token(stranger)
    before = everything()
    for one in OF_A_LAB.values():
        answer = ask(Client(), *one, drawn, Authorization=f"Bearer {token}")
        assert answer.status_code == 404, one
    assert everything() == before


@attack("every address of the API without signing in", "401; no row changes")
def test_nobody(drawn):
    before = everything()
    for name, one in GUARDED.items():
        assert ask(Client(), *one, drawn).status_code == 401, name
    assert everything() == before


@attack("every address of the API as a user who was barred", "401, by session and by token")
def test_a_barred_user(drawn, owner):
    browser, token = Client(), issue_api_token(owner)
    browser.force_login(owner)
    owner.is_active = False
    owner.save()
    for name, one in GUARDED.items():
        assert ask(browser, *one, drawn).status_code == 401, name
        answer = ask(Client(), *one, drawn, Authorization=f"Bearer {token}")
        assert answer.status_code == 401, name


GRANTS = {"POST /labs/{lab_id}/uplink", "DELETE /labs/{lab_id}/uplink"}  # an administrator's


@attack(
    "every address of a lab as an administrator",
    "404: other people's labs are not theirs, but for the grant of an uplink",
)
def test_an_administrator(drawn, admin_client):
    for name, one in OF_A_LAB.items():
        if name not in GRANTS:
            assert ask(admin_client, *one, drawn).status_code == 404, name


@attack("a student grants an uplink to a lab of their own", "403; no grant is written")
def test_ones_own_uplink(drawn, client):
    before = everything()
    for name in GRANTS & OF_A_LAB.keys():
        method, path, operation = OF_A_LAB[name]
        body = {"hours": 1, "seconds": 3600, "days": 1, "reason": "x", "until": 2_000_000_000}
        small = openapi.body(operation) or {}
        for sent in ({**small}, {key: body.get(key, value) for key, value in small.items()}):
            where = openapi.filled(path, operation, drawn.pk)
            answer = client.generic(
                method.upper(), where, json.dumps(sent), content_type="application/json"
            )
            assert answer.status_code in {403, 404, 422}, answer.content
    assert everything() == before


@attack(
    "every address of another lab, after one's own lab was deleted and its number guessed",
    "404: a number gives nothing",
)
def test_numbers_around_ones_own(drawn, intruder, stranger):
    own = services.create_lab(stranger, "mine", None)
    numbers = [n for n in range(-2, own.pk + 3) if n != own.pk]
    for number in numbers:
        assert intruder.get(f"/api/v1/labs/{number}/document").status_code == 404


@attack("the list of labs of a stranger", "one's own labs only")
def test_the_list(drawn, intruder):
    answer = intruder.get("/api/v1/labs")
    assert answer.json() == []
    assert drawn.name not in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/admin/labs/lab/", "/admin/labs/lab/{lab}/change/", "/admin/auth/user/"]
)
@attack("the administration's pages as a student", "sent away to sign in; nothing is shown")
def test_administration(drawn, intruder, path):
    answer = intruder.get(path.format(lab=drawn.pk))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    cases(UNSAFE, "{} by a page elsewhere, with the user's cookies", "403; no row changes"),
)
def test_without_a_csrf_token(drawn, owner, method, path, operation):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    before = everything()
    assert ask(browser, method, path, operation, drawn).status_code == 403
    assert everything() == before
