"""How many times faster 1,000 hosts on a bridge are gone than with Mininet.

Ours counts until every namespace has been seen gone, Mininet's until its own stop returns.
"""

import sys

from tests.benchmarks import _mininet
from tests.benchmarks._apply import engine, median, say
from tests.benchmarks._topologies import hosts, plan

BOUND = 20.0

if __name__ == "__main__":
    drawing = hosts(1000)
    steps = plan(drawing)
    ours = [engine(steps).gone for _ in range(2)]
    theirs = _mininet.run(drawing)["teardown"]
    ours += [engine(steps).gone for _ in range(2)]
    ratio = theirs / median(ours)
    sys.exit(not say("teardown_hosts1000", ratio, "x faster than Mininet", BOUND, at_least=True))
