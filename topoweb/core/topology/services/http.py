"""HTTP server: one static page that names its node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology.services.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.services.kind import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """``text`` stands on the page, as text."""

    port: int = 80
    text: str = ""


def _claims(options: Http, site: Site) -> Iterable[str]:  # noqa: ARG001 - one signature
    yield f"TCP {options.port}"


CHECKS = {"port": check.integer(1, 65535), "text": check.text(10_000, lines=True)}
KIND = Kind(Http, CHECKS, claims=_claims)
