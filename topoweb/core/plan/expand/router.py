"""A router: for the kernel a host that forwards, and forwarding is a property of any node."""

from __future__ import annotations

from topoweb.core.plan.expand.host import devices, master

__all__ = ["devices", "master"]
