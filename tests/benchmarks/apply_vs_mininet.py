"""How many times faster the engine builds the fat tree (208 nodes, 384 cables) than Mininet."""

import sys

from tests.benchmarks import _mininet
from tests.benchmarks._apply import engine, median, say
from tests.benchmarks._topologies import fat_tree, plan

BOUND = 20.0
OURS = 3  # before and after theirs, so that other load hits both

if __name__ == "__main__":
    drawing = fat_tree(8)
    steps = plan(drawing)
    ours = [engine(steps).wall for _ in range(OURS)]
    theirs = _mininet.run(drawing)["apply"]
    ours += [engine(steps).wall for _ in range(OURS)]
    ratio = theirs / median(ours)
    sys.exit(not say("apply_vs_mininet", ratio, "x faster", BOUND, at_least=True))
