"""From a key press through server, worker and pseudo-terminal back to the browser, alone.

Two hundred keys typed into a node's shell; the shell's echo ends each. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import sys

from tests.benchmarks._apply import say
from tests.benchmarks._terminals import Server, echoes, hosts
from tests.browser.product import served

BOUND = 30.0
KEYS = 200


def main() -> int:
    """Measure and print; return the exit status."""
    with served(rootless=False) as product:
        server = Server(product)
        lab = server.run(hosts(2))
        samples = asyncio.run(measured(server, lab))
        server.call("DELETE", f"/labs/{lab}")
    return not say("echo_p95_ms", samples[int(len(samples) * 0.95)], "ms", BOUND)


async def measured(server: Server, lab: int) -> list[float]:
    """Return the times, ms, sorted."""
    async with server.socket(lab) as socket:
        await socket.shell("n0")
        await echoes(socket, 20)
        return await echoes(socket, KEYS)


if __name__ == "__main__":
    sys.exit(main())
