"""Terminals of the whole product, by its WebSocket: floods, a worker that is killed, no root."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks._terminals import PROMPT, Server, hosts
from tests.browser.product import _descendants, served
from tests.kernel.privilege import needs_uid_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks._terminals import Socket
    from tests.browser.product import Product

MIB = 1 << 20
FLOODS = 19
SIZE = 1_000_000  # bytes that the slow reader is sent


@pytest.fixture
def product() -> Iterator[Product]:
    with served(rootless=False) as one:
        yield one


def resident(product: Product) -> dict[str, int]:
    """Bytes of memory of the web process and of the worker, by name."""
    found = {}
    for pid, line in _descendants(product.process.pid).items():
        name = next((word for word in ("daphne", "worker") if word in line), None)
        if name:
            status = Path(f"/proc/{pid}/status").read_text()
            match = re.search(r"VmRSS:\s+(\d+)", status)
            assert match
            found[name] = max(found.get(name, 0), int(match[1]) * 1024)
    return found


@needs_uid_ranges  # several processes
async def test_twenty_floods(product: Product) -> None:
    """Memory stays flat, a twenty-first terminal answers, a slow reader misses nothing."""
    server = Server(product)
    lab = await asyncio.to_thread(server.run, hosts(4))
    try:
        async with contextlib.AsyncExitStack() as stack:
            floods = [await stack.enter_async_context(server.socket(lab)) for _ in range(FLOODS)]
            for number, socket in enumerate(floods):
                await socket.shell(f"n{number % 4}")
                socket.type((b"yes\n", b"cat /dev/urandom\n")[number % 2])
            slow = await stack.enter_async_context(server.socket(lab))
            await slow.shell("n0")
            await asyncio.gather(*[s.until(lambda s=s: s.received > MIB // 4) for s in floods])
            before = resident(product)
            assert set(before) == {"daphne", "worker"}
            await read_slowly(slow)
            shown = [s.received for s in floods]
            await asyncio.gather(
                *[
                    s.until(lambda s=s, seen=seen: s.received > seen + MIB // 2)
                    for s, seen in zip(floods, shown, strict=True)
                ]
            )
            after = resident(product)
            for name, size in before.items():
                assert after[name] < size + 24 * MIB, (name, before, after)
    finally:
        await asyncio.to_thread(server.call, "DELETE", f"/labs/{lab}")


async def read_slowly(socket: Socket) -> None:
    """Have a program write what it then names the digest of, and give credit in sips."""
    socket.patient = True
    script = (
        "import hashlib,os,sys,tty; tty.setraw(1); "
        f"d=os.urandom({SIZE}); w=sys.stdout.buffer; "
        "w.write(b'BEGIN'+d); w.write(hashlib.sha256(d).digest()+b'FINIS'); w.flush()"
    )
    socket.output.clear()
    socket.type(f'python3 -c "{script}"\n'.encode())
    while not socket.output.endswith(b"FINIS"):
        async with asyncio.timeout(60):
            await socket.until(lambda: socket.owed > 30_000 or socket.output.endswith(b"FINIS"))
        socket.give_back()
    begun = socket.output.rindex(b"BEGIN", 0, 3000) + len("BEGIN")
    data, digest = socket.output[begun : begun + SIZE], socket.output[begun + SIZE : -5]
    assert digest == hashlib.sha256(data).digest()


@needs_uid_ranges  # several processes
async def test_a_worker_that_is_killed(product: Product) -> None:
    """Another takes over; the browser is told, and gets a new shell in the same node."""
    server = Server(product)
    lab = await asyncio.to_thread(server.run, hosts(2))
    try:
        async with server.socket(lab) as socket:
            await socket.shell("n0")
            (first,) = [t["terminal"] for t in socket.texts if t["type"] == "opened"]
            socket.output.clear()
            (worker,) = [
                pid
                for pid, line in _descendants(product.process.pid).items()
                if "manage.py worker" in line
            ]
            os.kill(worker, signal.SIGKILL)
            socket.notices = True
            await socket.until(lambda: socket.texts[-1]["type"] == "opened" and socket.texts[1:])
            codes = [t["code"] for t in socket.texts if t["type"] == "notice"]
            assert codes == ["stream-away", "stream-back"]
            assert "new one" in socket.texts[-2]["message"]
            assert socket.texts[-1]["terminal"] != first
            await socket.until(lambda: PROMPT in socket.output)
    finally:
        await asyncio.to_thread(server.call, "DELETE", f"/labs/{lab}")


@needs_uid_ranges  # of root, who becomes somebody else
async def test_without_root() -> None:
    with served(rootless=True) as product:
        server = Server(product)
        lab = await asyncio.to_thread(server.run, hosts(2))
        async with server.socket(lab) as socket:
            await socket.shell("n0")
            socket.type(b"ping -c 1 -W 5 10.30.0.2; echo en''d\n")
            await socket.until(lambda: b"end\r\n" in socket.output)
            assert b" 1 received" in socket.output
        await asyncio.to_thread(server.call, "DELETE", f"/labs/{lab}")
