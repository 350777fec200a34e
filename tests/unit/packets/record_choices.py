"""``python -m tests.unit.packets.record_choices``: ask tshark, and write down what it chose.

All filters are asked in one run: a table by the second (`io,stat`) with a column for each, over a
capture of one frame a second. In that table a comma separates filters, so those with a comma are
asked one by one.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from tests.unit.packets import capture
from tests.unit.packets.expressions import EXPRESSIONS

CHOICES = Path(__file__).parents[2] / "fixtures" / "filters" / "tshark.json"
# As our decoder has it: numbers as they are sent, fragments as they are, no look into tunnels.
OPTIONS = ["tcp.relative_sequence_numbers:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE",
           "tcp.desegment_tcp_streams:FALSE", "icmp.favor_icmp_mpls:FALSE"]  # fmt: skip
TSHARK = ["tshark", "-n", *(part for option in OPTIONS for part in ("-o", option))]


def choices(path: Path, expressions: list[str]) -> dict[str, list[int]]:
    """Return, for each filter, the numbers of the frames that tshark lets through."""
    plain = [one for one in expressions if "," not in one]
    found: dict[str, list[int]] = {}
    for first in range(0, len(plain), 50):
        found |= _table(path, plain[first : first + 50])
    for one in expressions:
        if one not in found:
            said = _run(path, "-Y", one, "-T", "fields", "-e", "frame.number")
            last = len(capture.frames())
            found[one] = [number for number in map(int, said.split()) if number <= last]
    return {one: found[one] for one in expressions}


def _table(path: Path, expressions: list[str]) -> dict[str, list[int]]:
    said = _run(path, "-q", "-z", "io,stat,1," + ",".join(expressions))
    found: dict[str, list[int]] = {one: [] for one in expressions}
    rows = [line for line in said.splitlines() if "<>" in line]
    assert len(rows) == len(capture.frames()) + 1, said[-500:]
    del rows[-1]
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
        for column, one in enumerate(expressions):
            if int(cells[2 * column]):
                found[one].append(number)
    return found


def _run(path: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*TSHARK, "-r", str(path), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def main() -> None:
    """Write the choices of all filters."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "capture.pcap")
        capture.write(path)
        found = choices(path, EXPRESSIONS)
    CHOICES.parent.mkdir(exist_ok=True)
    lines = (f"{json.dumps(one)}: {json.dumps(numbers)}" for one, numbers in found.items())
    CHOICES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
