from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login", "/labs/7"])
def test_page_is_strict_and_sets_the_csrf_cookie(path):
    answer = Client().get(path)
    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    page = answer.content.decode()
    nonce = re.search(r'csp-nonce" content="([^"]+)"', page).group(1)
    assert f"'nonce-{nonce}'" in policy
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert f'src="{settings.STATIC_URL}topoweb/app.js"' in page


def test_nonce_is_new_each_time():
    pages = {Client().get("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(pages) == 3


@pytest.mark.parametrize(
    ("asked", "given"), [("zh-CN,zh;q=0.9", "zh-CN"), ("en", "en"), ("de", "en")]
)
def test_page_speaks_the_browsers_language(asked, given):
    answer = Client().get("/", headers={"Accept-Language": asked})
    assert f'<html lang="{given}">' in answer.content.decode()
    assert answer.cookies["django_language"].value == ("zh-hans" if given == "zh-CN" else "en")


def test_static_files_are_cached_for_ever_below_the_hash_of_the_build():
    answer = Client().get(f"{settings.STATIC_URL}admin/css/base.css")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert Client().get("/static/admin/css/base.css").status_code == 404


def test_unknown_path_of_the_api_is_problem_json():
    answer = Client().get("/api/v1/nothing/here")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["status"] == 404
