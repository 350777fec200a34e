"""The stream socket between gateway and worker or tracer: length-prefixed frames, signed token.

A connection carries exactly one stream: the gateway connects, sends OPEN, then CREDIT; the
service answers with DATA and CLOSE. On the wire each frame has a ``u32`` little-endian length
(of header + payload) before it.

The token is ``base64url(json).base64url(hmac-sha256)`` over a secret both sides read from the
data directory. It names lab, user, stream and rights, and lives five minutes (the time within
which the stream must be *opened*).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
from dataclasses import asdict, dataclass

LENGTH = struct.Struct("<I")
TOKEN_LIFETIME = 300  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamToken:
    """What the web process grants: one stream of one lab to one user."""

    lab: int
    user: int
    stream: int  # frames.Stream
    write: bool
    expires: int  # seconds since the epoch
    nonce: str  # a service refuses a nonce that it has seen


def sign(token: StreamToken, secret: bytes) -> str:
    """Return the token as text with its signature."""
    body = json.dumps(asdict(token), separators=(",", ":"), sort_keys=True).encode()
    mac = hmac.new(secret, body, hashlib.sha256).digest()
    return f"{_b64(body)}.{_b64(mac)}"


def verify(text: str, secret: bytes, now: float) -> StreamToken:
    """Return the token in ``text``. ValueError when forged, malformed or expired."""
    body_text, dot, mac_text = text.partition(".")
    try:
        body, mac = _unb64(body_text), _unb64(mac_text)
    except (ValueError, binascii.Error):
        raise ValueError("malformed stream token") from None
    if not dot or not hmac.compare_digest(mac, hmac.new(secret, body, hashlib.sha256).digest()):
        raise ValueError("stream token with a wrong signature")
    token = StreamToken(**json.loads(body))  # signed, so its shape is ours
    if token.expires < now:
        raise ValueError("stream token has expired")
    return token


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
