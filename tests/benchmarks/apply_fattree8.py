"""CPU of the engine's apply against the C floor: a fat tree of 208 namespaces and 384 cables."""

import sys

from tests.benchmarks._apply import median, rounds, say
from tests.benchmarks._topologies import fat_tree, plan

BOUND = 1.5

if __name__ == "__main__":
    pairs = rounds(plan(fat_tree(8)))
    ratio = median([ours.cpu / floor.cpu for ours, floor in pairs])
    sys.exit(not say("apply_fattree8", ratio, "x CPU of the C floor", BOUND))
