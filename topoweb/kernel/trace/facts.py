"""Facts about a running lab, asked of the living kernel (`core.tracing.explain.facts.Facts`).

Each question enters the node's namespace in a throw-away thread and leaves nothing open there:
an open descriptor or socket would keep a deleted namespace alive. A node is read in one go, and
answers hold for ``max_age`` seconds.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from topoweb.core.errors import TopowebError
from topoweb.core.tracing.explain.facts import End, Route
from topoweb.core.tracing.records import AddressRecord, LinkRecord
from topoweb.kernel import counters, netns
from topoweb.kernel import manifest as manifests
from topoweb.kernel.forker import USER_FD
from topoweb.kernel.ownership import is_ours
from topoweb.kernel.trace import lookups, nodestate, ruleset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from topoweb.core.tracing.explain.facts import Family, Interface, Neighbouring, Rule
    from topoweb.kernel.manifest import Manifest, Namespace
    from topoweb.kernel.trace.nodestate import NodeState

MAX_ANSWERS = 4096  # kept at a time
_REGISTERED = frozenset({AddressRecord, LinkRecord})

Side = Literal["", "a", "b"]
T = TypeVar("T")


class _LabAsked:
    """A lab's namespaces, and what was asked of them a moment ago."""

    def __init__(self, run_dir: Path, lab: int, *, max_age: float = 1.0) -> None:
        self._run_dir = run_dir
        self._lab = lab
        self._max_age = max_age
        self._answers: dict[tuple[Any, ...], tuple[float, Any]] = {}
        self._known: tuple[tuple[int, int], Manifest | None] = ((0, 0), None)
        self._cables: dict[tuple[str, str], tuple[str, str, Side]] = {}  # see `_cables_of`

    def close(self) -> None:
        """Forget everything. Nothing else is held."""
        self._answers.clear()
        self._known = ((0, 0), None)

    def nodes(self) -> Sequence[str]:
        """Return the lab's nodes that run."""
        return tuple(self._places())

    def _remembered(self, key: tuple[Any, ...], work: Callable[[], T]) -> T:
        self._manifest()  # forgets the answers of another run of the lab
        now = time.monotonic()
        known = self._answers.get(key)
        if known is not None and now - known[0] <= self._max_age:
            value: T = known[1]
            return value
        if len(self._answers) >= MAX_ANSWERS:
            self._answers.clear()
        value = work()
        self._answers[key] = now, value
        return value

    def _manifest(self) -> Manifest | None:
        """Return where the lab is now. It moves when nodes come and go."""
        stamp = _stamp(manifests.path_of(self._run_dir, self._lab))
        if stamp != self._known[0]:
            found = manifests.read(self._run_dir, self._lab)
            self._known = stamp, found if found is not None and is_ours(found) else None
            self._cables = _cables_of(self._known[1])
            self._answers.clear()
        return self._known[1]

    def _places(self) -> Mapping[str, Namespace]:
        manifest = self._manifest()
        return manifest.namespaces if manifest else {}

    def _openers(self) -> dict[str, Callable[[], int]]:
        """Return for each node what opens its namespace; OSError when it has gone."""
        manifest = self._manifest()
        if manifest is None:
            return {}
        holder = manifest.holder
        return {
            node: functools.partial(_open, holder.descriptor_path(at.slot), at.inode)
            for node, at in manifest.namespaces.items()
        }

    @contextlib.contextmanager
    def _inside(self, node: str) -> Iterator[int]:
        """Give a descriptor of the very namespace that the manifest means; OSError without."""
        manifest = self._manifest()
        at = self._places().get(node)
        if manifest is None or at is None:
            raise FileNotFoundError(node)
        fd = manifest.holder.open_namespace(at.slot)
        try:
            if netns.inode(fd) != at.inode:
                raise FileNotFoundError(node)
            yield fd
        finally:
            os.close(fd)


class LinuxFacts(_LabAsked):
    """A lab's state on demand. For one thread; a node that has gone answers like an empty one."""

    def holders(self, what: str) -> Sequence[str]:
        """Return the nodes with an interface of this IP address, MAC or kind ("macvlan")."""
        try:
            return self._remembered(("",), self._register).get(what, ())
        except (OSError, TopowebError):  # the lab ended meanwhile
            return ()

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        """Return a node's interfaces by name."""
        return {name: device.interface for name, device in self._state(node).devices.items()}

    def peer(self, node: str, interface: str) -> End | None:
        """Return the other end: of a drawn cable, or of a pair that somebody made inside."""
        device = self._state(node).devices.get(interface)
        if device is None or device.interface.kind != "veth":
            return None
        link, drawn, side = self._cables.get((node, interface), ("", "", ""))
        nodes = [drawn] if drawn else [other for other in self.nodes() if other != node] + [node]
        for other in nodes:
            for name, far in self._state(other).devices.items():
                if (far.index, far.link) == (device.link, device.index) and far is not device:
                    return End(node=other, interface=name, link=link, side=side)
        return None

    def route(self, node: str, destination: str, *, source: str = "", arriving: str = "") -> Route:
        """Look a route up; ``arriving``: for a packet that came in at this interface."""
        state = self._state(node)
        return self._ask(
            node,
            ("route", destination, source, arriving),
            lambda: lookups.route(state, destination, source, arriving),
            Route(kind="none", error="ENETUNREACH"),
        )

    def routes(self, node: str, family: Family) -> Sequence[Route]:
        """Return a node's main table, longest prefix first."""
        return self._state(node).routes.get(family, ())

    def sysctl(self, node: str, name: str) -> str:
        """Return a setting of the node's network; "" where it does not exist."""
        return self._ask(node, ("sysctl", name), lambda: lookups.sysctl(name), "")

    def neighbour(self, node: str, interface: str, address: str) -> tuple[Neighbouring, str]:
        """Return a neighbour entry's state and MAC; ("none", "") without an entry."""
        return self._state(node).neighbours.get((interface, address), ("none", ""))

    def fdb(self, node: str, bridge: str, mac: str) -> str:
        """Return the port behind which a bridge believes a MAC; itself for its own; "" unknown."""
        return self._state(node).fdb.get((bridge, mac.lower()), "")

    def rules(self, node: str) -> Sequence[Rule]:
        """Return the packet filter's rules and policies, in the order of evaluation."""
        try:
            return self._remembered((node, "rules"), lambda: ruleset.parse(self._listing(node)))
        except (OSError, TopowebError):
            return ()

    def listens(self, node: str, protocol: Literal["tcp", "udp"], port: int) -> tuple[str, ...]:
        """Return the addresses that sockets listen on; a dual-stack "::" gives "0.0.0.0" too."""
        return self._ask(
            node, ("listens", protocol, port), lambda: lookups.listens(protocol, port), ()
        )

    def counters(self, node: str) -> Mapping[str, int]:
        """Return /proc/net/snmp, snmp6 and netstat as {"IpOutNoRoutes": 3, …}."""
        return self._ask(node, ("counters",), lookups.counters, {})

    def accept_queue(self, node: str, port: int) -> tuple[int, int]:
        """Return how many connections wait at a TCP port to be accepted, and how many may."""
        return self._ask(node, ("accept_queue", port), lambda: lookups.accept_queue(port), (0, 0))

    def _state(self, node: str) -> NodeState:
        return self._ask(node, ("state",), nodestate.read, nodestate.EMPTY)

    def _ask(self, node: str, question: tuple[Any, ...], work: Callable[[], T], otherwise: T) -> T:
        """Return the answer; ``otherwise`` when the node is not there, which is not kept."""

        def answer() -> T:
            with self._inside(node) as fd:
                return netns.run_inside(fd, work)

        try:
            return self._remembered((node, *question), answer)
        except (OSError, TopowebError):  # it is gone, or died under us
            return otherwise

    def _register(self) -> Mapping[str, tuple[str, ...]]:
        """Return who has what, by one tour through all nodes that asks for this alone."""
        found: dict[str, dict[str, None]] = {}
        for dump in counters.dump(self._openers(), _REGISTERED):
            for record in dump.records:
                if isinstance(record, AddressRecord):
                    found.setdefault(record.address.partition("/")[0], {})[dump.node] = None
                elif isinstance(record, LinkRecord):
                    for word in (record.mac, record.kind):
                        if word is not None:
                            found.setdefault(word, {})[dump.node] = None
        return {what: tuple(nodes) for what, nodes in found.items()}

    def _listing(self, node: str) -> str:
        manifest = self._manifest()
        with self._inside(node) as net_fd:
            if not netns.run_inside(net_fd, lookups.has_rules):
                return ""
            if manifest is None or manifest.namespaces[node].outer:  # rules of our own making
                return ruleset.listing(-1, net_fd)
            user_fd = netns.open_fd(f"/proc/{manifest.holder.pid}/fd/{USER_FD}")
            try:
                ours = netns.inode(user_fd) == manifest.userns
                return ruleset.listing(user_fd, net_fd) if ours else ""
            finally:
                os.close(user_fd)


def _open(path: str, inode: int) -> int:
    """Open a namespace that must still be the one that the manifest means."""
    fd = netns.open_fd(path)
    if netns.inode(fd) != inode:
        os.close(fd)
        raise FileNotFoundError(path)
    return fd


def _cables_of(manifest: Manifest | None) -> dict[tuple[str, str], tuple[str, str, Side]]:
    """Return by interface the drawn cable, the node at its other end, and which end that is."""
    found: dict[tuple[str, str], tuple[str, str, Side]] = {}
    for link, (a, b) in manifest.links.items() if manifest else ():
        found[a], found[b] = (link, b[0], "b"), (link, a[0], "a")
    return found


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is replaced; (0, 0) when there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns
