"""The C floor: compiled when it is needed, fed with the very plan that the engine runs."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.plan.actions import (
    AddAddress,
    AddBridge,
    AddNamespace,
    AddRoute,
    AddVeth,
    SetForwarding,
    Step,
    VethEnd,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Path(__file__).with_name("floor.c")
FIRST_INDEX = 16


def compiled(directory: Path) -> Path:
    """Compile the floor and return the program."""
    program = directory / "floor"
    subprocess.run(["gcc", "-O2", "-Wall", str(SOURCE), "-o", str(program)], check=True)
    return program


def run(program: Path, plan: Path) -> dict[str, float]:
    """Apply and tear down once; return the floor's own figures. AssertionError on refusals."""
    done = subprocess.run([str(program), str(plan)], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    assert not figures["errors"], done.stderr
    return figures


class _Lines:
    """Numbers namespaces and devices as the C program wants them."""

    def __init__(self, steps: Sequence[Step]) -> None:
        actions = [step.action for step in steps]
        forwards = {a.namespace: int(bool(a.ipv4)) for a in actions if isinstance(a, SetForwarding)}
        nodes = [a.namespace for a in actions if isinstance(a, AddNamespace)]
        self.space = {node: number for number, node in enumerate(nodes)}
        self.index: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"lo": 1})
        self.lines = [f"N {forwards.get(node, 0)}" for node in nodes]
        for action in actions:
            self._add(action)

    def _device(self, node: str, name: str) -> int:
        known = self.index[node]
        return known.setdefault(name, len(known) - 1 + FIRST_INDEX)

    def _end(self, end: VethEnd) -> str:
        node = end.at.namespace
        master = self._device(node, end.master) if end.master else 0
        index = self._device(node, end.at.name)
        return (
            f"{self.space[node]} {index} {end.at.name} {end.mac or '-'} {end.mtu} {int(end.up)} "
            f"{master} {end.tag}"
        )

    def _add(self, action: object) -> None:
        if isinstance(action, AddBridge):
            index = self._device(action.namespace, action.name)
            self.lines.append(
                f"B {self.space[action.namespace]} {index} {action.name} {action.mtu} "
                f"{int(action.up)} {int(action.stp)} {action.ageing} {action.tag}"
            )
        elif isinstance(action, AddVeth):
            near, far = (action.b, action.a) if action.b.master else (action.a, action.b)
            self.lines.append(f"L {self._end(near)} {self._end(far)}")
        elif isinstance(action, AddAddress):
            node, (ip, length) = action.at.namespace, action.address.split("/")
            index = self._device(node, action.at.name)
            self.lines.append(f"A {self.space[node]} {index} {ip} {length}")
        elif isinstance(action, AddRoute):
            route = action.route
            prefix, length = route.prefix.split("/")
            index = self._device(action.namespace, route.device) if route.device else 0
            self.lines.append(
                f"R {self.space[action.namespace]} {index} {prefix} {length} {route.via}"
            )


def write_plan(path: Path, steps: Sequence[Step]) -> None:
    """Write steps as the lines that the C program reads."""
    path.write_text("\n".join(_Lines(steps).lines) + "\n")
