"""Adding a host to a running lab of 1,000: namespace, cable, address and default route."""

import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks._apply import median, say
from tests.benchmarks._topologies import LAB, hosts, plan
from topoweb.kernel.lab import LinuxKernel

BOUND = 25.0
HOSTS = 1000
SAMPLES = 21
QUIET = 8.0  # seconds: a thousand hosts that come up greet each other by IPv6 for that long


def main() -> int:
    """Measure and print; return the exit status."""
    more = plan(hosts(HOSTS + SAMPLES))
    new = {f"h{number}": number - HOSTS for number in range(HOSTS, HOSTS + SAMPLES)}
    running = [step for step in more if _host(step.action) not in new]
    with tempfile.TemporaryDirectory() as directory:
        kernel = LinuxKernel(Path(directory))
        try:
            result = kernel.apply(LAB, running, lambda done: None, lambda: False)
            assert result.done == len(running), result.failures[:1]
            time.sleep(QUIET)
            samples = []
            for name in new:
                steps = [step for step in more if _host(step.action) == name]
                start = time.perf_counter()
                result = kernel.apply(LAB, steps, lambda done: None, lambda: False)
                samples.append((time.perf_counter() - start) * 1e3)
                assert result.done == len(steps), result.failures[:1]
        finally:
            kernel.destroy(LAB)
            kernel.close()
    return not say("add_host_ms", median(samples), "ms", BOUND)


def _host(action: object) -> str:
    """Return the host that an action is for; the switch's end of a cable counts for its host."""
    for name in ("b", "at"):
        end = getattr(action, name, None)
        if end is not None:
            return str(getattr(end, "at", end).namespace)
    return str(getattr(action, "namespace", ""))


if __name__ == "__main__":
    sys.exit(main())
