"""Every setting, from the environment only (`docs/configuration.md` lists the variables).

Importing this module creates at most one file: the secret key, when there is none yet.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from topoweb.accounts.keys import read_or_create
from topoweb.core.limits import HostLimits, Limits, UserLimits, from_texts
from topoweb.worker.launch import places

ROOT = Path(__file__).resolve().parent.parent

if "TOPOWEB_DATA" not in os.environ and "PYTEST_VERSION" in os.environ:
    # A test run never touches a person's data; the directory goes with the process.
    _scratch = tempfile.TemporaryDirectory(prefix="topoweb-test-")
    os.environ["TOPOWEB_DATA"] = _scratch.name


def _data_directory() -> Path:
    """Return TOPOWEB_DATA, else what `make run` made, else where XDG's specification has it."""
    given = os.environ.get("TOPOWEB_DATA")
    if given:
        return Path(given).absolute()
    if os.access(ROOT / "var" / "secret.key", os.R_OK):
        return ROOT / "var"
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "topoweb"


def _run_directory() -> Path:
    """Return TOPOWEB_RUN, else where `serve` keeps its sockets, else ``run`` beside the data."""
    given = os.environ.get("TOPOWEB_RUN")
    if given:
        return Path(given).absolute()
    return places.serving(TOPOWEB_DATA) or TOPOWEB_DATA / "run"


def _database(url: str) -> dict[str, Any]:
    """Return Django's entry for ``sqlite:///path`` or ``postgres://user:password@host/name``.

    A Unix socket is given as ``postgres://user@/name?host=/run/postgresql``.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path).removeprefix("/") if parts.netloc else unquote(parts.path),
            "TEST": {"NAME": str(TOPOWEB_DATA / "test.sqlite3")},
            "OPTIONS": {
                # IMMEDIATE: a read-then-write transaction never loses a lock it has not taken.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # The worker writes the log back (`topoweb.worker.heartbeat`); without one it is
                # done at 32 MiB, by whoever commits then.
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"
                    "PRAGMA wal_autocheckpoint=8000;"
                ),
            },
        }
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"TOPOWEB_DATABASE_URL: unknown scheme {parts.scheme!r}")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path).lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"pool": True, **options},
    }


def _redis_url(address: str) -> str:
    """Return the redis URL of a Unix socket path or of a URL."""
    return address if "://" in address else f"unix://{address}"


def _build_hash(folder: Path) -> str:
    """Return a short digest of the static files: it changes when any of them does."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _choice(name: str, allowed: tuple[str, ...]) -> str:
    """Return a variable that has few values; the first one is the default."""
    value = os.environ.get(name) or allowed[0]
    if value not in allowed:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
    return value


TOPOWEB_DATA = _data_directory()
TOPOWEB_RUN = _run_directory()
TOPOWEB_MODE = _choice("TOPOWEB_MODE", ("alone", "root", "classroom"))
TOPOWEB_HOST = os.environ.get("TOPOWEB_HOST", "local")
TOPOWEB_REDIS = os.environ.get("TOPOWEB_REDIS", "")
TOPOWEB_DATABASE_URL = (
    os.environ.get("TOPOWEB_DATABASE_URL") or f"sqlite://{TOPOWEB_DATA}/topoweb.sqlite3"
)
# What every lab, user and host may use unless the admin says otherwise (`topoweb.core.limits`).
TOPOWEB_LAB_LIMITS = from_texts(Limits, os.environ, "TOPOWEB_LAB_")
TOPOWEB_USER_LIMITS = from_texts(UserLimits, os.environ, "TOPOWEB_USER_")
TOPOWEB_HOST_LIMITS = from_texts(HostLimits, os.environ, "TOPOWEB_HOST_")
# How packets are followed (`topoweb.worker.tracer`): the best that works, or one tier alone.
TOPOWEB_TRACE_TIER = _choice("TOPOWEB_TRACE_TIER", ("auto", "bpf", "afpacket"))
TOPOWEB_TRACE_RING = int(os.environ.get("TOPOWEB_TRACE_RING") or 64)  # MiB
TOPOWEB_TRACE_RATE = int(os.environ.get("TOPOWEB_TRACE_RATE") or 50_000)  # hops a second
TOPOWEB_STORM = _choice("TOPOWEB_STORM", ("report", "cut"))
# The way out of labs, where an administrator grants it (`topoweb.kernel.uplink`).
TOPOWEB_UPLINK = _choice("TOPOWEB_UPLINK", ("0", "1")) == "1"
TOPOWEB_UPLINK_POOL = IPv4Network(os.environ.get("TOPOWEB_UPLINK_POOL") or "100.127.0.0/16")
TOPOWEB_UPLINK_RATE = int(os.environ.get("TOPOWEB_UPLINK_RATE") or 20_000_000)
TOPOWEB_UPLINK_BLOCK = tuple(
    IPv4Network(text) for text in os.environ.get("TOPOWEB_UPLINK_BLOCK", "").split(",") if text
)
TOPOWEB_CONNTRACK_MAX = int(os.environ.get("TOPOWEB_CONNTRACK_MAX") or 0)
TOPOWEB_NEIGHBOURS_MAX = int(os.environ.get("TOPOWEB_NEIGHBOURS_MAX") or 0)

SECRET_KEY = read_or_create(
    Path(os.environ.get("TOPOWEB_SECRET_KEY") or TOPOWEB_DATA / "secret.key"), mode=0o600
).hex()
DEBUG = os.environ.get("TOPOWEB_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("TOPOWEB_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "topoweb.audit",
    "topoweb.accounts",
    "topoweb.hosts",
    "topoweb.labs",
    "topoweb.worker",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "topoweb.accounts.middleware.ContentSecurityPolicy",
    "topoweb.api.ProblemAnswers",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "topoweb.urls"
ASGI_APPLICATION = "topoweb.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": _database(TOPOWEB_DATABASE_URL)}
CONN_MAX_AGE = 0  # under ASGI a kept connection belongs to a thread that may never come back
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS: dict[str, dict[str, Any]]
CACHES: dict[str, dict[str, Any]]
if TOPOWEB_REDIS:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [_redis_url(TOPOWEB_REDIS)], "prefix": "topoweb"},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": _redis_url(TOPOWEB_REDIS),
            "KEY_PREFIX": "topoweb",
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "/login"

# Behind TLS (TOPOWEB_TLS=1) cookies never travel in the clear.
_TLS = os.environ.get("TOPOWEB_TLS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _TLS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _TLS else None
CSRF_TRUSTED_ORIGINS = [
    origin for origin in os.environ.get("TOPOWEB_TRUSTED_ORIGINS", "").split(",") if origin
]
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 << 20  # the largest document

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_TZ = True

# The bundle's chunks import each other by relative name, so the files keep their names and the
# folder carries the hash: every URL below it may be cached for ever.
STATICFILES_DIRS = [ROOT / "static"]
STATIC_URL = f"/static/{_build_hash(ROOT / 'static')}/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:  # noqa: N802 - WhiteNoise's name
    """Say that a file may be cached for ever: its URL carries the hash of the build."""
    del path
    return url.startswith(STATIC_URL)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"daphne": {"level": "WARNING"}},  # what it listens on is announced by `serve`
    "root": {"handlers": ["stderr"], "level": os.environ.get("TOPOWEB_LOG", "INFO")},
}
