"""Running a plan against the kernel: one file an action family."""
