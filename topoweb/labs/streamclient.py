"""A blocking reader of one stream of the worker or the tracer, for HTTP answers."""

from __future__ import annotations

import json
import secrets
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings

from topoweb.accounts.keys import read_or_create
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import refusal
from topoweb.protocol.frames import MAX_PAYLOAD, Frame, Kind, Stream, decode, encode
from topoweb.protocol.stream import LENGTH, TOKEN_LIFETIME, StreamToken, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Service = Literal["worker", "tracer"]

TIMEOUT = 15.0  # seconds without a frame; a trace may be silent for 10
MAX_ANSWER = 64 << 20  # bytes; a tracer holds less than this
CREDIT = 16  # frames in flight


def stream_key() -> bytes:
    """Return the secret shared with worker and tracer. TopowebError(LOST) when there is none."""
    try:
        return read_or_create(settings.TOPOWEB_RUN / "stream.key", mode=0o640)
    except OSError as error:
        raise _away("worker", error) from error


def grant(lab_id: int, user_id: int, stream: Stream, *, write: bool = False) -> str:
    """Return a signed token that opens one stream of one lab, once, within five minutes."""
    token = StreamToken(
        lab=lab_id,
        user=user_id,
        stream=stream,
        write=write,
        expires=int(time.time()) + TOKEN_LIFETIME,
        nonce=secrets.token_urlsafe(16),
    )
    return sign(token, stream_key())


def query(service: Service, lab_id: int, user_id: int, params: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON answer to a QUERY. TopowebError: LOST when the service is away."""
    answer = read_all(service, Stream.QUERY, lab_id, user_id, params)
    try:
        return json.loads(answer)
    except ValueError:
        raise TopowebError(
            ErrorKind.INTERNAL, f"The {service} gave an answer that is no JSON", code="bad-answer"
        ) from None


def read_all(
    service: Service, stream: Stream, lab_id: int, user_id: int, params: Mapping[str, Any]
) -> bytes:
    """Return all bytes of a stream that ends by itself."""
    parts: list[bytes] = []
    size = 0
    for payload in payloads(service, stream, lab_id, user_id, params):
        size += len(payload)
        if size > MAX_ANSWER:
            raise TopowebError(ErrorKind.LIMIT, "The answer is too large", code="too-large")
        parts.append(payload)
    return b"".join(parts)


def payloads(
    service: Service, stream: Stream, lab_id: int, user_id: int, params: Mapping[str, Any]
) -> Iterator[bytes]:
    """Yield what a stream says, as it comes, until the service ends it."""
    opening = {"token": grant(lab_id, user_id, stream), "params": dict(params)}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(settings.TOPOWEB_RUN / f"{service}.sock"))
            # Both at once: who refuses an OPEN has closed before it would read a CREDIT sent later.
            credit = _frame(stream, Kind.CREDIT, {"credit": CREDIT})
            connection.sendall(_frame(stream, Kind.OPEN, opening) + credit)
            yield from _data(connection, service, stream)
    except OSError as error:
        raise _away(service, error) from error


def _data(connection: socket.socket, service: Service, stream: Stream) -> Iterator[bytes]:
    for frame in _frames(connection, service):
        if frame.kind is Kind.CLOSE:
            _check_close(frame, service)
            return
        if frame.kind is Kind.DATA:
            yield frame.payload
            # A service that has said all has closed already: its CLOSE is still to be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(_frame(stream, Kind.CREDIT, {"credit": 1}))


def _frames(connection: socket.socket, service: Service) -> Iterator[Frame]:
    with connection.makefile("rb") as file:
        while True:
            (length,) = LENGTH.unpack(_exactly(file.read(LENGTH.size), LENGTH.size))
            if length > MAX_PAYLOAD + 8:
                raise TopowebError(ErrorKind.INTERNAL, f"The {service} sent too long a frame")
            try:
                yield decode(_exactly(file.read(length), length))
            except ValueError:
                raise TopowebError(
                    ErrorKind.INTERNAL, f"The {service} sent a malformed frame", code="bad-answer"
                ) from None


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise ConnectionResetError("the connection ended inside a frame")
    return data


def _frame(stream: Stream, kind: Kind, body: Mapping[str, Any]) -> bytes:
    data = encode(Frame(stream, kind, 0, json.dumps(body).encode()))
    return LENGTH.pack(len(data)) + data


def _check_close(frame: Frame, service: Service) -> None:
    """Raise what a CLOSE says, unless it says done."""
    try:
        body = json.loads(frame.payload)
        code, reason = str(body["code"]), str(body["reason"])
    except (ValueError, KeyError, TypeError):
        code, reason = "internal", "it closed without a reason"
    if code == "done":
        return
    if code == "away":
        raise refusal(ErrorKind.LOST, f"{service}-away", reason=reason)
    kinds = {kind.value: kind for kind in ErrorKind}
    kind = kinds.get(code, ErrorKind.INTERNAL)
    if kind in {ErrorKind.FORBIDDEN, ErrorKind.INVALID}:
        kind = ErrorKind.INTERNAL  # what it refuses is what *we* sent, not what the user did
    raise TopowebError(kind, f"The {service} says: {reason}", code=f"{service}-{code}")


def _away(service: Service, error: OSError) -> TopowebError:
    return refusal(ErrorKind.LOST, f"{service}-away", reason=error.strerror or error)
