"""One AF_PACKET socket on one interface (packet(7), net/packet/af_packet.c).

An open packet socket keeps its network namespace alive, even a deleted one. So taps are closed
the moment their lab's holder dies (`afpacket`).
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from typing import TYPE_CHECKING

from topoweb.core.tracing.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topoweb.kernel.trace.points import Point

ETH_P_ALL = 3
OUTGOING = 4  # sll_pkttype: sent by the interface
SO_RCVBUFFORCE, SO_ATTACH_FILTER, SO_TIMESTAMPNS = 33, 26, 35
SOL_PACKET, STATISTICS, AUXDATA = 263, 6, 8
RETURN = 0x06  # BPF_RET | BPF_K
VLAN_VALID, VLAN_TPID_VALID = 0x10, 0x40  # tp_status
DOT1Q = 0x8100

_FILTER = struct.Struct("=HBBI")
_PROGRAM = struct.Struct("@HP")
_AUXDATA = struct.Struct("=IIIHHHH")  # status, length, snaplen, mac, net, vlan_tci, vlan_tpid
_TIMESPEC = struct.Struct("@qq")
_STATISTICS = struct.Struct("=II")  # packets, drops
_TAG = struct.Struct(">HH")
_ANCILLARY = socket.CMSG_SPACE(_AUXDATA.size) + socket.CMSG_SPACE(_TIMESPEC.size)

CLOSERS = 64  # threads: each close waits about 12 ms for RCU, and waits overlap


class Tap:
    """An open capture of one cable."""

    def __init__(self, lab: int, point: Point, inode: int, snaplen: int, buffer: int) -> None:
        """Open it in the namespace of the calling thread. OSError as the kernel says."""
        self.lab, self.point, self.inode = lab, point, inode
        self._snaplen = snaplen
        # Protocol 0 receives nothing yet: no packet of another interface slips in before bind.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            self._configure(buffer)
            self.socket.bind((point.interface, ETH_P_ALL))
        except OSError:
            self.socket.close()
            raise

    def _configure(self, buffer: int) -> None:
        tap = self.socket
        try:
            tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer)
        except PermissionError:  # without root the host's rmem_max bounds it
            tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tap.setsockopt(SOL_PACKET, AUXDATA, 1)
        cut = ctypes.create_string_buffer(_FILTER.pack(RETURN, 0, 0, self._snaplen))
        program = _PROGRAM.pack(1, ctypes.addressof(cut))
        tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    @property
    def gone(self) -> bool:
        """True when the interface has vanished; a tap on one that is merely down recovers."""
        return not self.socket.getsockname()[0]

    def receive(self, limit: int) -> Iterator[Observation]:
        """Yield what has arrived, at most ``limit`` packets."""
        receive, snaplen = self.socket.recvmsg, self._snaplen
        for _ in range(limit):
            try:
                data, ancillary, _, address = receive(snaplen, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError:  # ENETDOWN, once after the interface was down; packets may follow
                continue
            yield self._observation(data, ancillary, address[2] == OUTGOING)

    def _observation(
        self, data: bytes, ancillary: list[tuple[int, int, bytes]], sent: bool
    ) -> Observation:
        time_ns, length = 0, len(data)
        for _, kind, value in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(value)
                time_ns = seconds * 1_000_000_000 + nanoseconds
            elif kind == AUXDATA:
                status, length, _, _, _, control, tag = _AUXDATA.unpack(value)
                if status & VLAN_VALID:  # the kernel has taken the tag out of the frame
                    tag = tag if status & VLAN_TPID_VALID else DOT1Q
                    data = data[:12] + _TAG.pack(tag, control) + data[12:]
                    length += _TAG.size
        point = self.point
        return Observation(
            time_ns,
            point.namespace,
            point.interface,
            "tx" if sent else "rx",
            data,
            length,
            self.lab,
            point.link,
            point.outward if sent else point.inward,
            point.peer,
        )

    def lost(self) -> int:
        """Return the packets that the kernel dropped here since the last call."""
        with contextlib.suppress(OSError):
            value = self.socket.getsockopt(SOL_PACKET, STATISTICS, _STATISTICS.size)
            return int(_STATISTICS.unpack(value)[1])
        return 0


def close_all(taps: Iterable[Tap]) -> list[threading.Thread]:
    """Close taps side by side, without waiting; return the threads that do it."""
    waiting = list(taps)
    threads = [
        threading.Thread(target=_close, args=(waiting[i::CLOSERS],), name="tap-close", daemon=True)
        for i in range(min(CLOSERS, len(waiting)))
    ]
    for thread in threads:
        thread.start()
    return threads


def _close(taps: list[Tap]) -> None:
    for tap in taps:
        tap.socket.close()
