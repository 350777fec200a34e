"""Memory of a node with its sandbox, against a bare network namespace."""

import sys

from tests.benchmarks._apply import say
from tests.benchmarks._memory import ratio

BOUND = 4.0

if __name__ == "__main__":
    sys.exit(not say("active_node_memory", ratio("active"), "x bare netns", BOUND))
