"""How many times faster the engine builds the fat tree (208 nodes, 384 cables) than Mininet."""

import sys

from tests.benchmarks import _mininet
from tests.benchmarks._apply import engine, median, say
from tests.benchmarks._topologies import fat_tree, plan

BOUND = 20.0
ROUNDS = 2

if __name__ == "__main__":
    drawing = fat_tree(8)
    steps = plan(drawing)
    ratios = []
    for _ in range(ROUNDS):  # ours before and after theirs, so that other load hits both
        before = engine(steps).wall
        theirs = _mininet.run(drawing)["apply"]
        ratios.append(theirs * 2 / (before + engine(steps).wall))
    sys.exit(not say("apply_vs_mininet", median(ratios), "x faster", BOUND, at_least=True))
