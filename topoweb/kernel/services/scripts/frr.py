"""Keep FRR's daemons of one node together: all run, or none. Runs inside the node.

Arguments: the configuration's file, then the daemons, zebra first. They are configured through
vtysh, which sends each line to the daemons that understand it; a line that none understands is
said in the log, and the rest holds.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

RUN = Path("/run/frr")
DAEMONS = "/usr/lib/frr"
VTYSH = "/usr/bin/vtysh"
PATIENCE = 10.0  # seconds for a daemon to open its socket
OWN_FILES = {  # what vtysh wants to find
    "/etc/frr/vtysh.conf": "service integrated-vtysh-config\n",
    "/etc/pam.d/frr": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
}


def say(words: str) -> None:
    """Write to the log."""
    print(words, flush=True)  # noqa: T201


def prepare() -> None:
    """Make what the packages' service would have made, and end what a killed one left."""
    RUN.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(RUN, "frr", "frr")
    for path, text in OWN_FILES.items():
        Path(path).parent.mkdir(exist_ok=True)
        if not Path(path).exists():
            Path(path).write_text(text)
    for note in RUN.glob("*.pid"):
        end_stray(note)
    for socket in RUN.glob("*.vty"):
        socket.unlink(missing_ok=True)
    (RUN / "zserv.api").unlink(missing_ok=True)


def end_stray(note: Path) -> None:
    """Kill the daemon that a pid file names, if it is that daemon."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(note.read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() == note.stem:
            os.kill(pid, signal.SIGKILL)
    note.unlink(missing_ok=True)


def start(name: str) -> "subprocess.Popen[bytes]":
    """Start a daemon in the foreground; without a port for telnet."""
    log = ("--log", "stdout", "--log-level", "notifications")
    return subprocess.Popen(
        [f"{DAEMONS}/{name}", "-f", "/dev/null", "-A", "127.0.0.1", "-P", "0", *log]
    )


def wait_for(path: Path, daemon: "subprocess.Popen[bytes]") -> None:
    """Return when a daemon has made its socket; SystemExit when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{path.name} did not come; the daemon did not start")
        time.sleep(0.01)


def configure(config: str) -> None:
    """Give the daemons their configuration; what vtysh says of it goes to the log."""
    done = subprocess.run(
        [VTYSH, "-f", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    said = done.stdout.decode(errors="replace").strip()
    say(said or "configured")


def end(daemons: "list[subprocess.Popen[bytes]]") -> None:
    """End the daemons, zebra last: the others take their routes back through it."""
    for daemon in reversed(daemons):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            daemon.terminate()
            daemon.wait(0.5)
    for daemon in daemons:
        daemon.kill()


def main(config: str, names: list[str]) -> None:
    """Run until a daemon ends or we are told to."""

    def leave(number: int, frame: object) -> None:
        del number, frame
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    prepare()
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for name in names:
            daemons.append(start(name))
            if name == "zebra":
                wait_for(RUN / "zserv.api", daemons[0])
        for name, daemon in zip(names, daemons, strict=True):
            wait_for(RUN / f"{name}.vty", daemon)
        configure(config)
        pid, status = os.wait()
        died = next((n for n, d in zip(names, daemons, strict=True) if d.pid == pid), str(pid))
        raise SystemExit(f"{died} ended with status {os.waitstatus_to_exitcode(status)}")
    finally:
        end(daemons)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
