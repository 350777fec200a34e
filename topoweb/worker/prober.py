"""Probes by the real kernel: from a typed request to the node's namespace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.probe import probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.engine.ports import ProbeRequest
    from topoweb.kernel.lab import LinuxKernel


class LinuxProber:
    """Implements `topoweb.engine.ports.Prober`."""

    def __init__(self, kernel: LinuxKernel) -> None:
        self._kernel = kernel

    def probe(self, lab: int, request: ProbeRequest) -> Mapping[str, Any]:
        """Run one probe. The descriptor ends with it: an open one would pin the namespace."""
        try:
            namespace = self._kernel.open_namespace(lab, request.source)
        except TopowebError as error:
            raise TopowebError(
                ErrorKind.LOST,
                "This node is not in the kernel at the moment; the lab is looked after.",
                hint="Ask again when the lab is running.",
            ) from error
        try:
            return probe(
                namespace, request.kind, request.target, port=request.port, count=request.count
            )
        finally:
            os.close(namespace)
