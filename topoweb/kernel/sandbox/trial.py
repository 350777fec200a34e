"""Try once whether this host can make a sandbox: a lab of one node, and a program in it.

The trial runs in mount and pid namespaces of its own, which end with it and with who asked: a
worker that is killed meanwhile leaves nothing on the host.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from topoweb.core.errors import TopowebError
from topoweb.core.plan.actions import AddNamespace, Step
from topoweb.core.programs import Command
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.sandbox import launcher
from topoweb.kernel.sandbox.cgroups import Groups
from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

ROOT = Path(__file__).parents[3]
TIMEOUT = 60.0  # seconds
APART = [
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"),
]


def refusal() -> tuple[str, str]:
    """Return why this host has no sandboxes and what helps; empty when it has."""
    command = [*APART, sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        said = json.loads(done.stdout) if done.returncode == 0 else {"reason": done.stderr[-300:]}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        said = {"reason": str(error)}
    return said["reason"].strip(), said.get("remedy", "")


def main() -> None:
    """Print {"reason", "remedy"}."""
    launcher.mount(b"tmpfs", launcher.VIEW.encode(), b"tmpfs", 0)
    run_dir = Path(launcher.VIEW, "run")
    kernel = LinuxKernel(run_dir)
    # without control groups: those would outlast us
    sandboxes = LinuxSandboxes(run_dir, Groups(None), kernel.manifest)
    reason, remedy = "", ""
    try:
        step = Step(AddNamespace(namespace="n1"), "trial", "n1")
        kernel.apply(1, [step], lambda _: None, lambda: False)
        sandboxes.run(1, "n1", Command(arguments=("/bin/true",)))
    except TopowebError as error:
        reason, remedy = error.message, error.hint
    except OSError as error:
        reason = str(error)
    finally:
        sandboxes.vacate(1)
        sandboxes.close()
        kernel.destroy(1)
        kernel.close()
    print(json.dumps({"reason": reason, "remedy": remedy}))  # noqa: T201 - our answer


if __name__ == "__main__":
    main()
