"""The worker: composition roots, and how the processes are started."""
