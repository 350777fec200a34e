"""Time of the engine's teardown against the C floor, until 1,001 namespaces are seen gone."""

import sys

from tests.benchmarks._apply import median, rounds, say
from tests.benchmarks._topologies import hosts, plan

BOUND = 1.5
ROUNDS = 3

if __name__ == "__main__":
    pairs = rounds(plan(hosts(1000)), ROUNDS)
    ratio = median([ours.gone / floor.gone for ours, floor in pairs])
    sys.exit(not say("teardown_hosts1000", ratio, "x time of the C floor", BOUND))
