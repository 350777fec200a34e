"""CPU of the engine's apply against the C floor: 1,000 hosts on one bridge."""

import sys

from tests.benchmarks._apply import median, rounds, say
from tests.benchmarks._topologies import hosts, plan

BOUND = 1.5
ROUNDS = 3

if __name__ == "__main__":
    pairs = rounds(plan(hosts(1000)), ROUNDS)
    ratio = median([ours.cpu / floor.cpu for ours, floor in pairs])
    sys.exit(not say("apply_hosts1000", ratio, "x CPU of the C floor", BOUND))
