"""The ASGI application: HTTP by Django, WebSocket by the gateway."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "topoweb.settings")
_http = get_asgi_application()  # sets the apps up; consumers may be imported only after it

from channels.routing import ProtocolTypeRouter  # noqa: E402

from topoweb.gateway.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": _http, "websocket": websocket_application})
