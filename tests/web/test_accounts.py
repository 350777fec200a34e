from __future__ import annotations

import stat
import threading
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from topoweb.accounts import services
from topoweb.accounts.keys import read_or_create
from topoweb.accounts.models import ApiToken, LoginToken

pytestmark = pytest.mark.django_db


def test_login_token_works_once(owner):
    token = services.issue_login_token(owner)
    assert token not in LoginToken.objects.values_list("digest", flat=True)
    assert services.redeem_login_token(token) == owner
    assert services.redeem_login_token(token) is None


def test_login_token_expires(owner):
    token = services.issue_login_token(owner)
    LoginToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert services.redeem_login_token(token) is None


def test_login_token_of_a_barred_user_is_worth_nothing(owner):
    token = services.issue_login_token(owner)
    owner.is_active = False
    owner.save()
    assert services.redeem_login_token(token) is None


def test_link_signs_in_and_loses_the_token(owner):
    browser = Client()
    answer = browser.get("/", {"token": services.issue_login_token(owner)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert browser.get("/api/v1/session").json()["user"] == {"id": owner.pk, "name": "owner"}


def test_used_link_leads_to_the_login_page(owner):
    token = services.issue_login_token(owner)
    assert services.redeem_login_token(token)
    assert Client().get("/", {"token": token}).headers["Location"] == "/login?reason=token"


def test_session_by_password_and_out(owner):
    browser = Client(enforce_csrf_checks=True)
    csrf = browser.get("/api/v1/session").json()["csrf"]
    secret = {"username": "owner", "password": "a-long-password"}
    headers = {"X-CSRFToken": csrf}
    refused = browser.post("/api/v1/session", secret, content_type="application/json")
    assert refused.status_code == 403
    answer = browser.post(
        "/api/v1/session", secret, content_type="application/json", headers=headers
    )
    assert answer.json()["user"]["name"] == "owner"
    headers = {"X-CSRFToken": answer.json()["csrf"]}
    assert browser.delete("/api/v1/session", headers=headers).status_code == 204
    assert browser.get("/api/v1/session").json()["user"] is None


def test_session_by_token(owner):
    body = {"token": services.issue_login_token(owner)}
    browser = Client()
    answer = browser.post("/api/v1/session/token", body, content_type="application/json")
    assert answer.json()["user"]["id"] == owner.pk
    again = Client().post("/api/v1/session/token", body, content_type="application/json")
    assert again.status_code == 401
    assert (again.json()["code"], again.json()["params"]) == ("token-unusable", {})


def test_guessing_passwords_is_throttled_by_name(owner):
    browser = Client()

    def attempt(name, password="wrong"):
        body = {"username": name, "password": password}
        return browser.post("/api/v1/session", body, content_type="application/json").status_code

    tries = [attempt("owner") for _ in range(services.FAILURES_PER_NAME + 1)]
    assert tries == [401] * services.FAILURES_PER_NAME + [503]
    assert attempt("OWNER", "a-long-password") == 503  # case does not help
    assert attempt("other") == 401  # and nobody else is locked out


def test_api_token(owner, lab):
    token = services.issue_api_token(owner, "script")
    script = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
    made = script.post("/api/v1/labs", {"name": "by script"}, content_type="application/json")
    assert made.status_code == 201
    assert ApiToken.objects.get().used is not None
    ApiToken.objects.all().delete()
    assert script.get("/api/v1/labs").status_code == 401


def test_session_without_csrf_token_changes_nothing(owner):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.get("/api/v1/labs").status_code == 200
    made = browser.post("/api/v1/labs", {"name": "x"}, content_type="application/json")
    assert (made.status_code, made.headers["Content-Type"]) == (403, "application/problem+json")


def test_local_user_is_made_once():
    assert services.local_user() == services.local_user()
    assert not services.local_user().has_usable_password()


def test_key_file_is_made_once_by_many(tmp_path):
    path = tmp_path / "new" / "stream.key"
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(read_or_create(path, mode=0o640)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["stream.key"]
