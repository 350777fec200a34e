"""What each stage of the recorder costs an event, from the kernel's tracepoint to the message.

A flood of numbered packets over three cables is recorded once into the rings; each stage then
works on all of it, and its CPU time is divided by the number of events. `thread` and
`loop` are the capture thread and the event loop of a whole tracer while the flood goes on. Prints
one JSON line; ``value`` is what an event costs both together, µs.

    .venv/bin/python -m tests.benchmarks.trace_stages
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tests.benchmarks._flood import PACED, TARGET, Flood
from topoweb.core.packets import identity_of, summary
from topoweb.core.tracing import pcapng
from topoweb.engine.judged import Judged
from topoweb.engine.packetlog import PacketLog, Recorder
from topoweb.engine.packetview import PacketView
from topoweb.engine.recording import Recordings
from topoweb.engine.tracing import Tracing
from topoweb.kernel.trace.bpf.source import BpfSource
from topoweb.kernel.trace.facts import LinuxFacts
from topoweb.worker import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from topoweb.core.tracing.observation import Observation

BOUND = 7.0  # µs
RATE, SECONDS = 6000, 3  # packets a second, each of seven events
STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")
PROGRAMS = ("on_receive", "on_send", "on_drop")
LIMIT = 1 << 30


class Stages:
    """Stage → µs an event."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    @contextmanager
    def of(self, name: str, count: Callable[[], int]) -> Iterator[None]:
        """Measure what is done inside; ``count`` is asked afterwards."""
        began = time.process_time()
        yield
        self.found[name] = (time.process_time() - began) / max(1, count()) * 1e6


def main() -> int:
    """Measure and print."""
    stages = Stages()
    with tempfile.TemporaryDirectory() as directory:
        flood = Flood(Path(directory))
        try:
            flood.cost()
            _recorded(_seen(flood, stages), stages)
            collector.tune(collector.BUSY)
            stages.found["thread"], stages.found["loop"] = asyncio.run(_threads(flood))
        finally:
            flood.close()
    value = stages.found["thread"] + stages.found["loop"]
    print(json.dumps({
        "name": "trace_stages", "value": round(value, 2), "unit": "us", "bound": BOUND,
        "holds": value <= BOUND, **{name: round(us, 3) for name, us in stages.found.items()},
    }))  # fmt: skip
    return int(value > BOUND)


def _seen(flood: Flood, stages: Stages) -> list[Observation]:
    source = BpfSource(flood.lab.run, hop_rate=0)
    try:
        for _ in range(2):  # the first time it reads the kernel's symbols
            _in_the_kernel(flood, source, stages)
            seen = _decoded(flood, source, stages)
    finally:
        source.close()
    return seen


def _send(flood: Flood, seconds: int = 1) -> subprocess.Popen[str]:
    path = flood.lab.holder.descriptor_path(0)
    command = [sys.executable, "-c", PACED, TARGET, "9", str(RATE), str(seconds)]
    return subprocess.Popen(
        ["nsenter", f"--net={path}", *command], stdout=subprocess.PIPE, text=True
    )


def _in_the_kernel(flood: Flood, source: BpfSource, stages: Stages) -> None:
    """By the kernel's own statistics, which cost some tens of ns an event themselves."""
    source.watch(flood.lab.lab)
    STATISTICS.write_text("1")
    try:
        _send(flood).communicate()
    finally:
        STATISTICS.write_text("0")
    program = source._program
    assert program is not None
    runs = spent = 0
    for name in PROGRAMS:
        fd = program._library.bpf_program__fd(program._program(name))
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
        figures = dict(line.split(":\t") for line in lines)
        runs, spent = runs + int(figures["run_cnt"]), spent + int(figures["run_time_ns"])
    stages.found["kernel"] = spent / runs / 1e3
    source.unwatch(flood.lab.lab)


def _decoded(flood: Flood, source: BpfSource, stages: Stages) -> list[Observation]:
    """Read the rings after a flood, stage by stage."""
    source.watch(flood.lab.lab)
    _send(flood).communicate()
    program, reader = source._program, source._reader
    assert program is not None
    raw: list[Any] = []
    seen: list[Observation] = []
    with stages.of("read", lambda: len(raw)):
        for stripe in program.hops.stripes:
            raw += stripe.read(LIMIT)[0]
    with stages.of("decode", lambda: len(raw)):
        seen += reader.hops(raw)
    hops = len(seen)
    ended = [event for stripe in program.drops.stripes for event in stripe.read(LIMIT)[0]]
    with stages.of("decode a drop", lambda: len(ended)):
        seen += reader.drops(ended)  # type: ignore[arg-type]
    assert hops > 5 * len(ended) > 0
    with stages.of("order", lambda: len(seen)):
        seen.sort(key=lambda one: one.time_ns)
    source.unwatch(flood.lab.lab)
    return seen


def _recorded(seen: Sequence[Observation], stages: Stages) -> None:
    gc.collect()
    gc.freeze()
    recorder, log = Recorder(), PacketLog()
    view = PacketView(log, Judged(log.feed.arrival), {})
    with stages.of("identity, if each were asked", lambda: len(seen)):
        for one in seen:
            identity_of(one.data, one.length)
    with stages.of("stories and exchanges", lambda: len(seen)):
        recorded = [recorder.record(one) for one in seen]
    rows = [one.row for one in recorded if one is not None and one.row is not None]
    with stages.of("publish a row", lambda: len(rows)):
        log.publish(rows)
    newest = rows[-500:]
    with stages.of("summary of a row that is shown", lambda: len(newest)):
        for row in newest:
            summary(row.observation.data, row.observation.length)
    with stages.of("encode a row that is shown", lambda: len(newest)):
        message = view.take()
        msgspec.json.encode(message)


async def _threads(flood: Flood) -> tuple[float, float]:
    """Return the CPU time an event of the capture thread and of the loop, during a flood."""
    source, taken = BpfSource(flood.lab.run, hop_rate=0), 0
    poll = source.poll

    def counted(timeout: float) -> list[Observation]:
        nonlocal taken
        seen = poll(timeout)
        taken += len(seen)
        return seen

    source.poll = counted  # type: ignore[method-assign]
    recordings = Recordings()
    tracing = Tracing(
        source,
        pcapng.blocks,
        facts=lambda lab: LinuxFacts(flood.lab.run, lab),
        keepers=recordings.keeper,
    )
    tracing.start()
    try:
        async with tracing.watching(flood.lab.lab):
            assert tracing._threads is not None
            identity = tracing._threads[0]._thread.ident
            assert identity is not None
            clocks = time.pthread_getcpuclockid(identity), time.CLOCK_THREAD_CPUTIME_ID
            await asyncio.to_thread(_send(flood).communicate)  # it reads the kernel's symbols
            before, taken = [time.clock_gettime(clock) for clock in clocks], 0
            await asyncio.to_thread(_send(flood, SECONDS).communicate)
            spent = [
                time.clock_gettime(clock) - then for clock, then in zip(clocks, before, strict=True)
            ]
        thread, loop = (seconds / max(1, taken) * 1e6 for seconds in spent)
        return thread, loop
    finally:
        await tracing.stop()


if __name__ == "__main__":
    sys.exit(main())
