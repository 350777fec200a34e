"""The tracer's program in the kernel: loaded, attached and told what to watch.

All of it goes when its descriptors are closed, so also when its process is killed.
"""

from __future__ import annotations

import ctypes
import errno
import secrets
import struct
from functools import partial
from pathlib import Path
from platform import machine
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.observation import Unseen
from topoweb.kernel.trace.bpf.btf import kernel_types
from topoweb.kernel.trace.bpf.libbpf import check, library, pointer
from topoweb.kernel.trace.bpf.ring import DROPS, HOPS, WHOLES, Kind, Ring

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence, Set

OBJECT = Path(__file__).with_name("tracer.bpf.o")
PROGRAMS = ("on_receive", "on_send", "on_drop")
PLAIN = ("on_receive_plain", "on_send_plain", "on_drop")  # payload of TCP is not read
DROP_RING = 16 << 20  # bytes: 64,000 drops, while the reader is held up
WHOLE_RING = 8 << 20  # bytes: 2,000 frames that are wanted whole
LABS, SPACES = 256, 65_536  # slots of losses, places of namespaces; as in layout.h
KFREE_SKB = range(2, 8)  # numbers of arguments that we can handle: later ones come at the end

STRIPES = 8  # of a ring, at most; as in layout.h
TAKEN_AT_ONCE = 4  # slots, by one processor: a task, a softirq and an interrupt may each take one
ORDERED = ("x86_64", "i686")  # processors that make stores visible in their order
RECORDED = 1 << 31  # beside a slot: frames are wanted whole

_SETTINGS = struct.Struct("=I4x QQ QQ II III I")
_CONTROL = struct.Struct("=III")
_COOKIE, _NUMBER, _SPACE = struct.Struct("=Q"), struct.Struct("=I"), struct.Struct("=QIxxxx")
_LOSS = struct.Struct("=QQQ")


class Program:
    """The program while it runs."""

    def __init__(
        self,
        *,
        hop_ring: int,
        rate: int,
        burst: int,
        refused: Collection[int] = (),
        programs: Sequence[str] = PROGRAMS,
    ) -> None:
        """Load and attach ``programs``.

        ``hop_ring``: bytes at most. ``rate``: hops a second of one interface in one
        direction in the long run (0: no limit), ``burst``: how many it may be ahead. Namespaces
        with a cookie in ``refused`` are never watched. TopowebError UNSUPPORTED with the reason.
        """
        self._library = library()
        self._refused = frozenset(refused)
        self._links: list[int] = []
        self._rings: dict[Kind, Ring] = {}
        self._sampling = 0
        self._followed: frozenset[bytes] = frozenset()
        self._spaces: dict[int, int] = {}  # place → cookie
        self._crowd: set[int] = set()  # cookies whose place is taken
        self._object = pointer(
            self._library.bpf_object__open_file(bytes(OBJECT), None), "opening the program"
        )
        try:
            self._load(hop_ring, rate, burst, programs)
            self._attach(programs)
        except BaseException:
            self.close()
            raise

    def _load(self, hop_ring: int, rate: int, burst: int, programs: Sequence[str]) -> None:
        stripes = min(STRIPES, 1 << (processors() - 1).bit_length())
        margin = TAKEN_AT_ONCE * -(-processors() // stripes)
        sizes = {HOPS: hop_ring, WHOLES: WHOLE_RING, DROPS: DROP_RING}
        bits = {kind: _bits(kind, size, stripes, margin) for kind, size in sizes.items()}
        interval = 1_000_000_000 // rate if rate else 0
        settings = _SETTINGS.pack(
            _arguments(), interval, interval * burst, secrets.randbits(64),
            secrets.randbits(64) | 1, stripes - 1, margin, *bits.values(), machine() in ORDERED,
        )  # fmt: skip
        rodata = self._map(".rodata")
        check(
            self._library.bpf_map__set_initial_value(rodata, settings, len(settings)),
            "setting up the program",
        )
        for name in {*PROGRAMS, *PLAIN}:
            self._library.bpf_program__set_autoload(self._program(name), name in programs)
        for kind in sizes:
            found = self._map(f"{kind.name}s")
            slots = stripes << bits[kind]
            check(self._library.bpf_map__set_max_entries(found, slots), f"ring {kind.name}")
        check(self._library.bpf_object__load(self._object), "loading the program")
        self._watched, self._crowded = self._fd("watched"), self._fd("crowded")
        self._flows = self._fd("followed")
        self._control, self._losses = self._fd(".bss"), self._fd("losses")
        self._loss_bytes = _LOSS.size * self._library.libbpf_num_possible_cpus()
        for kind in sizes:
            maps = self._fd(f"{kind.name}s"), self._fd(f"{kind.name}_at")
            self._rings[kind] = Ring(kind, *maps, stripes, bits[kind])

    def _attach(self, programs: Sequence[str]) -> None:
        for name in programs:
            link = self._library.bpf_program__attach(self._program(name))
            self._links.append(pointer(link, f"attaching {name}"))

    @property
    def drops(self) -> Ring:
        """Packets that ended."""
        return self._rings[DROPS]

    @property
    def hops(self) -> Ring:
        """Packets that passed an interface."""
        return self._rings[HOPS]

    @property
    def wholes(self) -> Ring:
        """Packets that passed an interface and are wanted whole."""
        return self._rings[WHOLES]

    def watch(self, cookie: int, slot: int, *, whole: bool = False) -> None:
        """Record what happens in a namespace; losses count for ``slot``. FORBIDDEN: the host's.

        ``whole``: record frames up to `ring.WHOLE` bytes, not `ring.DATA`. Call it again to change.
        """
        if cookie in self._refused:
            raise TopowebError(ErrorKind.FORBIDDEN, "this network namespace is the host's own")
        slot |= RECORDED if whole else 0
        at = cookie % SPACES
        if self._spaces.setdefault(at, cookie) == cookie:
            self._put(self._watched, _NUMBER.pack(at), _SPACE.pack(cookie, slot))
        else:
            self._crowd.add(cookie)
            self._put(self._crowded, _COOKIE.pack(cookie), _NUMBER.pack(slot))
            self._steer()

    def unwatch(self, cookie: int) -> None:
        """Record nothing of a namespace any more."""
        at = cookie % SPACES
        if self._spaces.get(at) == cookie:
            del self._spaces[at]
            self._put(self._watched, _NUMBER.pack(at), bytes(_SPACE.size))
        elif cookie in self._crowd:
            self._crowd.remove(cookie)
            self._remove(self._crowded, _COOKIE.pack(cookie))
            self._steer()

    def follow_only(self, flows: Set[bytes]) -> None:
        """Neither sample nor limit these flows (`flows.directions`), and no others."""
        for flow in self._followed - flows:
            self._remove(self._flows, flow)
        for flow in flows - self._followed:
            self._put(self._flows, flow, _NUMBER.pack(1))
        self._followed = frozenset(flows)
        self._steer()

    @property
    def sampling(self) -> int:
        """One flow in 2 to the power of this is recorded; followed ones always are."""
        return self._sampling

    @sampling.setter
    def sampling(self, power: int) -> None:
        if power != self._sampling:
            self._sampling = power
            self._steer()

    def losses(self, slot: int) -> Unseen:
        """Return what was not recorded of a slot's namespaces since `forget_losses`."""
        values = ctypes.create_string_buffer(self._loss_bytes)
        check(
            self._library.bpf_map_lookup_elem(self._losses, _NUMBER.pack(slot), values),
            "reading losses",
        )
        counts = zip(*_LOSS.iter_unpack(values.raw), strict=True)
        return Unseen(*(sum(by_processor) for by_processor in counts))

    def forget_losses(self, slot: int) -> None:
        """Let a slot's losses count from 0."""
        self._put(self._losses, _NUMBER.pack(slot), bytes(self._loss_bytes))

    def close(self) -> None:
        """Detach and unload."""
        for ring in self._rings.values():
            ring.close()
        for link in self._links:
            self._library.bpf_link__destroy(link)
        self._library.bpf_object__close(self._object)
        self._rings, self._links = {}, []

    def _steer(self) -> None:
        control = _CONTROL.pack(self._sampling, len(self._followed), len(self._crowd))
        self._put(self._control, _NUMBER.pack(0), control)

    def _put(self, fd: int, key: bytes, value: bytes) -> None:
        check(self._library.bpf_map_update_elem(fd, key, value, 0), "writing a map")

    def _remove(self, fd: int, key: bytes) -> None:
        result = self._library.bpf_map_delete_elem(fd, key)
        if result != -errno.ENOENT:
            check(result, "writing a map")

    def _program(self, name: str) -> int:
        found = self._library.bpf_object__find_program_by_name(self._object, name.encode())
        return pointer(found, f"program {name}")

    def _map(self, name: str) -> int:
        found = self._library.bpf_object__find_map_by_name(self._object, name.encode())
        return pointer(found, f"map {name}")

    def _fd(self, name: str) -> int:
        return int(self._library.bpf_map__fd(self._map(name)))


def load_best(*, hop_ring: int, rate: int, burst: int, refused: Collection[int] = ()) -> Program:
    """Return the program that this kernel takes: with payload in pages (Linux 6.12) or without."""
    choose = partial(Program, hop_ring=hop_ring, rate=rate, burst=burst, refused=refused)
    try:
        return choose(programs=PROGRAMS)
    except TopowebError:
        return choose(programs=PLAIN)


def processors() -> int:
    """Return how many processors there can be."""
    return int(library().libbpf_num_possible_cpus())


def _bits(kind: Kind, size: int, stripes: int, margin: int) -> int:
    """Return the power of two of slots that each stripe of a ring of ``size`` bytes has."""
    return max(size // kind.record.size // stripes, 2 * margin).bit_length() - 1


def _arguments() -> int:
    """Return how many arguments kfree_skb has here: the program must not read more."""
    with kernel_types() as types:
        count = types.arguments("kfree_skb")
    if count not in KFREE_SKB:
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            "this kernel has no tracepoint kfree_skb that we know",
            hint="Use Linux 5.17 or newer.",
        )
    return count
