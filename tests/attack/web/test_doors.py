"""Signing in, cookies, hosts, pages: what a page elsewhere or a guesser may try."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.attack.register import attack, case
from topoweb.accounts import services
from topoweb.accounts.models import LoginToken

pytestmark = pytest.mark.django_db
LABS = "/api/v1/labs"
SECRET = {"username": "owner", "password": "a-long-password"}


def signing_browser():
    """A browser that has the CSRF cookie, and its token."""
    browser = Client(enforce_csrf_checks=True)
    return browser, browser.get("/api/v1/session").json()["csrf"]


def sign_in(browser, csrf, body=SECRET, **headers):
    return browser.post(
        "/api/v1/session", body, content_type="application/json",
        headers={"X-CSRFToken": csrf, **headers},
    )  # fmt: skip


@attack("CSRF: sign the victim in as the attacker", "403 without the page's own CSRF token")
def test_login_csrf(owner):
    browser = Client(enforce_csrf_checks=True)
    for body, path in ((SECRET, ""), ({"token": services.issue_login_token(owner)}, "/token")):
        answer = browser.post(f"/api/v1/session{path}", body, content_type="application/json")
        assert answer.status_code == 403
    assert browser.get("/api/v1/session").json()["user"] is None
    assert LoginToken.objects.exists()  # not used up by the refusal


@attack("CSRF: a right token but another site's Origin", "403")
def test_origin_of_another_site(owner):
    browser, csrf = signing_browser()
    assert sign_in(browser, csrf, Origin="http://evil.example").status_code == 403
    assert browser.get("/api/v1/session").json()["user"] is None


@attack("CSRF: the request as a form or as text/plain, which needs no preflight", "refused")
def test_simple_requests(client, owner):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(owner)
        answer = browser.generic("POST", LABS, json.dumps({"name": "x"}), content_type=kind)
        assert answer.status_code in {400, 403, 415}
    assert client.get(LABS).json() == []


@attack("CORS: another site asks to read our answers", "no Access-Control header is ever given")
def test_no_cors(client):
    for method in ("get", "options"):
        answer = getattr(client, method)(
            LABS,
            headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"},
        )
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@attack("session fixation: a session id planted before the victim signs in", "a new id at sign-in")
def test_session_fixation(owner):
    browser, csrf = signing_browser()
    browser.cookies["sessionid"] = planted = "0123456789abcdefghijklmnopqrstuv"
    answer = sign_in(browser, csrf)
    assert answer.status_code == 200
    assert answer.cookies["sessionid"].value != planted
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert attacker.get(LABS).status_code == 401


@attack("a session cookie kept after signing out", "401: the session is gone on the server")
def test_a_session_after_signing_out(client):
    kept = client.cookies["sessionid"].value
    assert client.delete("/api/v1/session").status_code == 204
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert thief.get(LABS).status_code == 401


@attack("a session after the password was changed", "401: a session hangs on the password")
def test_a_session_after_a_new_password(client, owner):
    owner.set_password("another-long-password")
    owner.save()
    assert client.get(LABS).status_code == 401


@attack("a script reads the session cookie; another site sends it", "HttpOnly, SameSite=Lax")
def test_cookie_flags(owner):
    browser, csrf = signing_browser()
    cookie = sign_in(browser, csrf).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@attack("a one-time address used twice", "the second is not let in")
def test_one_time_address_again(owner):
    token = services.issue_login_token(owner)
    assert Client().get("/", {"token": token}).headers["Location"] == "/"
    thief = Client()
    assert thief.get("/", {"token": token}).headers["Location"] == "/login?reason=token"
    assert thief.get(LABS).status_code == 401


@attack("the stored digest of a one-time token or API token sent as the token", "401")
def test_a_digest_is_no_token(owner):
    for issue in (services.issue_login_token, services.issue_api_token):
        digest = services.digest(issue(owner))
        body = {"token": digest}
        answer = Client().post("/api/v1/session/token", body, content_type="application/json")
        assert answer.status_code == 401
        answer = Client().get(LABS, headers={"Authorization": f"Bearer {digest}"})
        assert answer.status_code == 401


@attack("an open redirect: the one-time address with another host in its path", "stays here")
def test_open_redirect(owner):
    for path in ("//evil.example/", "/\\evil.example", "//evil.example/labs/1", "///evil.example"):
        token = services.issue_login_token(owner)
        answer = Client().get("/", {"token": token}, PATH_INFO=path)
        assert answer.status_code == 404, answer.headers


@attack("guessing a password", "503 after ten wrong ones, the right one included")
def test_guessing(owner):
    def attempt(password):
        body = {"username": "owner", "password": password}
        return Client().post("/api/v1/session", body, content_type="application/json").status_code

    assert [attempt(f"guess-{n}") for n in range(10)] == [401] * 10
    assert attempt("a-long-password") == 503


@attack("finding user names by the answer to a wrong password", "the same words for both")
def test_names_are_not_told(owner):
    answers = [
        Client().post(
            "/api/v1/session", {"username": name, "password": "wrong"},
            content_type="application/json",
        )
        for name in ("owner", "no-such-user")
    ]  # fmt: skip
    assert answers[0].content == answers[1].content
    assert answers[0].status_code == answers[1].status_code == 401


HOSTS = ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "[::1].evil"]


@pytest.mark.parametrize("host", HOSTS)
@attack("a foreign Host header, as DNS rebinding sends it", "400")
def test_host_header(client, host):
    assert client.get(LABS, headers={"Host": host}).status_code == 400
    assert client.get("/", headers={"Host": host}).status_code == 400


@attack("X-Forwarded-Host and X-Forwarded-Proto without a proxy", "not believed")
def test_forwarded_headers(client):
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = client.get("/login", headers=forged)
    assert b"evil.example" not in answer.content
    assert not answer.wsgi_request.is_secure()


@attack("our pages in another site's frame", "X-Frame-Options DENY and frame-ancestors 'none'")
def test_framing(client):
    for path in ("/", LABS, "/admin/login/"):
        answer = client.get(path)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


TRAVERSALS = [
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd", "..\\..\\etc\\passwd", "/etc/passwd", "%00/etc/passwd",
    "topoweb/../../topoweb/settings.py", "admin/../../../manage.py",
]  # fmt: skip


@pytest.mark.parametrize(
    "path", [case(str(n), f"static file {p}", "404", p) for n, p in enumerate(TRAVERSALS)]
)
def test_path_traversal(settings, path):
    answer = Client().get(f"{settings.STATIC_URL}{path}")
    assert answer.status_code in {400, 404}
    assert b"root:" not in answer.getvalue()


@attack("source, keys, database and dot files by their paths", "404")
def test_files_of_the_server(client):
    for path in (
        "/topoweb.sqlite3", "/secret.key", "/run/stream.key", "/.git/config", "/manage.py",
        "/static/", "/media/", "/topoweb/settings.py", "/api/v1/openapi.json/../../secret.key",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
