"""The verdict exam: `make verdicts`. Breaks real networks and marks what the explainer says.

For each case: the right code, the right node, the right remedy, and, where the remedy has
commands, the packet arrives after they have been run. Its healthy twin must have no fault.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.verdicts.cases import CASES
from tests.verdicts.labs import LABS
from tests.verdicts.rig import Rig
from topoweb.core.errors import TopowebError
from topoweb.kernel.trace.bpf.source import BpfSource
from topoweb.kernel.trace.facts import LinuxFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.verdicts.case import Case

REPORT = Path(__file__).parents[2] / "docs" / "verdicts.md"
RIGS = 3  # labs at a time: most of a trace is patience
HOP_RING = 4 << 20  # bytes: a handful of packets at a time
# The port at which a program listens once it is ready, by a word of its command.
OPENS: Mapping[str, tuple[Literal["tcp", "udp"], int]] = {
    "--port=0": ("udp", 67), "dnsmasq": ("udp", 53), "nameserver": ("udp", 53),
    "callers": ("udp", 5), "ncat": ("tcp", 80),
}  # fmt: skip
NOT_EXAMINED = """\
Not examined here, with unit tests on recorded or written-down state instead: unknown IP protocols
and EtherTypes (a trace follows ICMP, TCP and UDP), ports that spanning tree blocks (a healthy loop
has one: expected), tunnels (what carries and what is carried are two packets), and what this kernel
lacks: netem, 802.1Q, ipvlan."""
HEALTHY = ("delivered", "expected", "noise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What came of a case. ``faults`` says what is wrong with it, nothing when all is right."""

    case: Case
    said: str
    foretold: str
    agree: bool = False  # whether the packets went as foretold
    faults: tuple[str, ...] = ()
    invented: bool = False  # of the healthy twin
    seconds: float = 0.0


async def mark(rig: Rig, case: Case, *, twin: bool) -> Mark:
    """Run one case, with its twin first if that is asked for."""
    began = time.monotonic()
    try:
        return await _mark(rig, case, twin, began)
    except (AssertionError, TimeoutError) as error:
        words = str(error).splitlines() or [type(error).__name__]
        return Mark(case=case, said="", foretold="", faults=(words[0],))
    finally:
        await rig.clear()


async def _mark(rig: Rig, case: Case, twin: bool, began: float) -> Mark:
    await _prepare(rig, case)
    invented = False
    faults = []
    if twin:
        verdict = (await rig.trace(case.send)).messages["verdict"]["verdict"]
        if verdict["kind"] not in HEALTHY:
            invented = True
            faults.append(f"healthy twin: {verdict['code']} at {verdict['node']}")
    await asyncio.to_thread(rig.must, case.breaks)
    await _serve(rig, case.joins)
    for name, value in case.host:
        rig.set_host(name, value)
    session = await rig.trace(case.send)
    verdict = session.messages["verdict"]["verdict"]
    remedy = verdict["remedy"] or {"code": "", "commands": [], "node": ""}
    faults += _wrong(case, verdict, remedy)
    if not faults and case.mends and remedy["commands"]:
        faults += await _mended(rig, case, remedy)
        faults += _misforetold(session.messages["verdict"]["mended"])
    dry = session.messages["dry"]["verdict"]
    return Mark(
        case=case,
        said=f"{verdict['code']} at {verdict['node']}",
        foretold=f"{dry['code']} at {dry['node']}",
        agree=session.messages["verdict"]["agree"],
        faults=tuple(faults),
        invented=invented,
        seconds=time.monotonic() - began,
    )


def _wrong(case: Case, verdict: dict[str, Any], remedy: dict[str, Any]) -> list[str]:
    wanted = {"code": case.code, "node": case.node, "kind": case.kind}
    wrong = [
        f"{name} is {verdict[name]!r}, not {value!r}"
        for name, value in wanted.items()
        if verdict[name] not in value.split(" or ")
    ]
    if remedy["code"] != case.remedy:
        wrong.append(f"remedy is {remedy['code']!r}, not {case.remedy!r}")
    return wrong


def _misforetold(mended: dict[str, Any] | None) -> list[str]:
    """Hold what was foretold with the remedy against the packet, which arrived with it."""
    if mended is None or mended["verdict"]["kind"] in HEALTHY:
        return []
    return [f"foretold with the remedy: {mended['verdict']['code']}"]


async def _mended(rig: Rig, case: Case, remedy: dict[str, Any]) -> list[str]:
    """Do as the remedy says; the packet must arrive then."""
    orders = [f"{remedy['node']}: {command}" for command in remedy["commands"]]
    await asyncio.to_thread(rig.must, orders)
    await rig.settled()
    verdict = (await rig.trace(case.send)).messages["verdict"]["verdict"]
    if verdict["kind"] in HEALTHY:
        return []
    return [f"after the remedy {verdict['code']} at {verdict['node']}"]


async def _prepare(rig: Rig, case: Case) -> None:
    await rig.build(LABS[case.lab]().parse())
    await rig.settled()
    await asyncio.to_thread(rig.must, case.prepare)
    for place in case.listen:
        rig.listen(*place)
    await _serve(rig, case.serve)


async def _serve(rig: Rig, orders: Iterable[str]) -> None:
    """Run programs and wait until each has its port open."""
    for order in orders:
        door = next(door for word, door in OPENS.items() if word in order)
        rig.serve(order)
        facts = LinuxFacts(rig.run_dir, rig.lab, max_age=0)
        deadline = time.monotonic() + 20
        while not facts.listens(order.partition(":")[0], *door):
            assert time.monotonic() < deadline, f"{order}: does not listen"
            await asyncio.sleep(0.01)


async def take(cases: Iterable[Case], run_dir: Path, rigs: int = 1) -> list[Mark]:
    """Take the exam on some labs at a time; each healthy twin once."""
    waiting = list(enumerate(cases))[::-1]
    known: set[object] = set()
    marks: dict[int, Mark] = {}

    async def work(own_dir: Path) -> None:
        rig = Rig(own_dir, BpfSource(own_dir, hop_ring=HOP_RING))
        rig.start()
        try:
            while waiting:
                number, case = waiting.pop()
                health = (case.lab, case.send, case.prepare, case.listen, case.serve)
                twin = case.twin and health not in known
                known.add(health)
                marks[number] = await mark(rig, case, twin=twin)
                _tell(marks[number])
        finally:
            await rig.close()

    places = [run_dir / str(number) for number in range(rigs)]
    for place in places:
        place.mkdir(parents=True)
    await asyncio.gather(*map(work, places))
    return [marks[number] for number in sorted(marks)]


async def _take_all(cases: Iterable[Case], run_dir: Path) -> list[Mark]:
    """Take the exam; cases that would disturb others come after them."""
    cases = list(cases)
    found = await take([one for one in cases if not one.alone], run_dir, RIGS)
    return found + await take([one for one in cases if one.alone], run_dir / "alone")


def _tell(found: Mark) -> None:
    case, sign = found.case, "NO" if found.faults else "ok"
    words = "; ".join(found.faults)
    print(
        f"{sign}  {case.name} [{case.lab}] {found.said} ({found.seconds:.1f} s) {words}", flush=True
    )


def closing(marks: Iterable[Mark]) -> str:
    """Return the last line."""
    marks = list(marks)
    right = sum(not found.faults for found in marks)
    invented = sum(found.invented for found in marks)
    return f"{right} of {len(marks)} verdicts right, {invented} invented"


def report(marks: Iterable[Mark]) -> str:
    """Return docs/verdicts.md."""
    marks = list(marks)
    lines = [
        "# The verdict exam",
        "",
        "Written by `make verdicts`: each row is a real network on the real kernel, broken in one"
        " way, and what the explainer said of a packet in it. Right is: the code, the node, the"
        " remedy; and where the remedy has commands, they were run and the packet arrived. Healthy"
        " twins of all rows were asked too.",
        "",
        "| case | network | verdict | node | remedy | dry run | right |",
        "|---|---|---|---|---|---|---|",
    ]
    for found in marks:
        case = found.case
        same = "same" if found.foretold == f"{case.code} at {case.node}" else found.foretold
        right = "yes" if not found.faults else "; ".join(found.faults)
        lines.append(
            f"| {case.name} | {case.lab} | {case.code} | {case.node} | {case.remedy or '–'}"
            f" | {same} | {right} |"
        )
    return "\n".join([*lines, "", NOT_EXAMINED, "", closing(marks), ""])


def main(arguments: list[str]) -> int:
    """Take the whole exam and write its report, or only the cases whose name has a word."""
    words = arguments
    cases = [
        case for case in CASES if any(word in f"{case.name} [{case.lab}]" for word in words or [""])
    ]
    with tempfile.TemporaryDirectory(prefix="verdicts-") as run_dir:
        try:
            marks = asyncio.run(_take_all(cases, Path(run_dir)))
        except TopowebError as error:  # no BPF here, or not root
            print(f"The exam cannot be taken here: {error.message}")
            return 1
    if not words:
        REPORT.write_text(report(marks))
    print(closing(marks))
    return int(any(found.faults for found in marks))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
