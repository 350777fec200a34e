"""The first terminal on a node: from the page's `open` to the first byte of the shell's prompt.

The node's sandbox is made for it. Sixteen nodes, one after the other. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time

from tests.benchmarks._apply import median, say
from tests.benchmarks._terminals import PROMPT, Server, hosts
from tests.browser.product import served

BOUND = 150.0
NODES = 16


def main() -> int:
    """Measure and print; return the exit status."""
    with served(rootless=False) as product:
        server = Server(product)
        lab = server.run(hosts(NODES))
        samples = asyncio.run(measured(server, lab))
        server.call("DELETE", f"/labs/{lab}")
    return not say("terminal_open_ms", median(samples), "ms", BOUND)


async def measured(server: Server, lab: int) -> list[float]:
    """Return what each opening took, ms."""
    return [await opened(server, lab, f"n{number}") for number in range(NODES)]


async def opened(server: Server, lab: int, node: str) -> float:
    """Open a node's first terminal and end it again; ms until the prompt began."""
    async with server.socket(lab) as socket:
        await asyncio.sleep(0.3)  # quiet: what went before has settled
        begun = time.perf_counter()
        socket.open(node)
        await socket.until(lambda: PROMPT in socket.output)
        took = (time.perf_counter() - begun) * 1e3
        socket.tell(type="end")
        return took


if __name__ == "__main__":
    sys.exit(main())
