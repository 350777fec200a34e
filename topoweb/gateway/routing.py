"""WebSocket addresses, and who may knock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from topoweb.gateway.access import bearer
from topoweb.gateway.consumers import LabConsumer
from topoweb.gateway.terminal import TerminalConsumer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]


async def _not_found(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


_router = URLRouter(
    [
        path("ws/labs/<int:lab>", LabConsumer.as_asgi()),  # type: ignore[arg-type,list-item]
        path("ws/labs/<int:lab>/terminal", TerminalConsumer.as_asgi()),  # type: ignore[arg-type,list-item]
        re_path("", _not_found),  # type: ignore[arg-type,list-item]
    ]
)
_same_origin = AllowedHostsOriginValidator(_router)


async def websocket_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a handshake from our own pages, or with a bearer token, which needs no Origin."""
    application = _router if bearer(scope) else _same_origin
    await application(scope, receive, send)  # type: ignore[arg-type]
