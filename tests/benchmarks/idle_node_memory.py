"""Memory of a node that nobody has used, against a bare network namespace."""

import sys

from tests.benchmarks._apply import say
from tests.benchmarks._memory import ratio

BOUND = 1.2

if __name__ == "__main__":
    sys.exit(not say("idle_node_memory", ratio("idle"), "x bare netns", BOUND))
