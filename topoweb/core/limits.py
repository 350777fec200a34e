"""What a lab, a user and a host may use. Frozen values; who may change them is Django's affair."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings of one lab."""

    nodes: int = 5_000
    links: int = 20_000
    processes: int = 512  # of the lab
    node_processes: int = 256
    memory: int = 512 * MIB  # bytes, of the lab
    node_memory: int = 256 * MIB
    cpu: float = 1.0  # processors, of the lab
    disk: int = 64 * MIB  # bytes of files, of the lab
    inodes: int = 20_000
    terminals: int = 20  # open at once
    link_rate: int | None = None  # bit/s of a cable in one direction; None: unbounded


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLimits:
    """Ceilings of one user over all labs."""

    labs: int = 200
    running_labs: int = 20
    running_nodes: int = 6_000
    terminals: int = 40


DEFAULT = Limits()
