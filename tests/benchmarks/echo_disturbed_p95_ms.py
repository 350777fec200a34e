"""A key's echo while another lab does its worst: floods packets, forks, fills its disk, shouts.

As `echo_p95_ms`, with four terminals of another lab at work. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from tests.benchmarks._apply import say
from tests.benchmarks._terminals import Server, echoes, hosts
from tests.browser.product import served

BOUND = 100.0
KEYS = 200
WORST = {
    "n0": b"ping -f -s 1400 10.30.0.2 > /dev/null\n",
    "n1": b"bomb() { bomb | bomb & }; while :; do bomb; sleep 0.2; done\n",
    "n2": b"while :; do cat /dev/zero > /tmp/$RANDOM; rm -f /tmp/*; done\n",
    "n3": b"yes\n",
}


def main() -> int:
    """Measure and print; return the exit status."""
    with served(rootless=False) as product:
        server = Server(product)
        own, other = server.run(hosts(2)), server.run(hosts(4))
        samples = asyncio.run(measured(server, own, other))
        for lab in own, other:
            server.call("DELETE", f"/labs/{lab}")
    return not say("echo_disturbed_p95_ms", samples[int(len(samples) * 0.95)], "ms", BOUND)


async def measured(server: Server, own: int, other: int) -> list[float]:
    """Return the times, ms, sorted."""
    async with contextlib.AsyncExitStack() as stack:
        socket = await stack.enter_async_context(server.socket(own))
        await socket.shell("n0")
        noise = {}
        for node in WORST:
            noise[node] = await stack.enter_async_context(server.socket(other))
            await noise[node].shell(node)
        for node, line in WORST.items():
            noise[node].type(line)
        await noise["n3"].until(lambda: noise["n3"].received > 1 << 20)
        await echoes(socket, 20)
        before = noise["n3"].received
        samples = await echoes(socket, KEYS)
        assert noise["n3"].received > before, "the noise has ended"
        return samples


if __name__ == "__main__":
    sys.exit(main())
