"""Token buckets at the root of devices: written, and read back.

Layouts: linux/rtnetlink.h (struct tcmsg), linux/pkt_sched.h (struct tc_tbf_qopt), sch_tbf.c.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from topoweb.core.plan.rate import bucket
from topoweb.kernel import netlink

if TYPE_CHECKING:
    from collections.abc import Iterator

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_TBF_PARMS, TCA_TBF_RATE64, TCA_TBF_BURST = 1, 4, 6
TC_H_ROOT, HANDLE = 0xFFFFFFFF, 0x0001_0000
NLM_F_REPLACE = 0x100
LINKLAYER_ETHERNET = 1
TCMSG = struct.Struct("=BxHiIII")  # family, ifindex, handle, parent, info
RATE_SPEC = struct.Struct("=BBHhHI")  # cell log, link layer, overhead, cell align, mpu, rate
QOPT_REST = struct.Struct("=III")  # limit, buffer, mtu
U64 = struct.Struct("=Q")
MAX_U32 = 0xFFFFFFFF


def set_rate(index: int, rate: int | None) -> netlink.Message:
    """Hold a device to ``rate`` bit/s, whatever its root had before; None: let it go."""
    if rate is None:
        return netlink.Message(RTM_DELQDISC, 0, TCMSG.pack(0, 0, index, 0, TC_H_ROOT, 0))
    burst, limit = bucket(rate)
    octets = rate // 8
    # With TCA_TBF_BURST the kernel needs no rate table (tbf_change).
    parameters = RATE_SPEC.pack(0, LINKLAYER_ETHERNET, 0, 0, 0, min(octets, MAX_U32))
    parameters += bytes(RATE_SPEC.size) + QOPT_REST.pack(limit, 0, 0)
    options = netlink.attribute(TCA_TBF_PARMS, parameters)
    options += netlink.attribute_u32(TCA_TBF_BURST, burst)
    if octets > MAX_U32:
        options += netlink.attribute(TCA_TBF_RATE64, U64.pack(octets))
    body = TCMSG.pack(0, 0, index, HANDLE, TC_H_ROOT, 0)
    body += netlink.attribute(TCA_KIND, b"tbf\0") + netlink.attribute(TCA_OPTIONS, options)
    return netlink.Message(RTM_NEWQDISC, netlink.NLM_F_CREATE | NLM_F_REPLACE, body)


def rates(link: netlink.Netlink) -> Iterator[tuple[int, int]]:
    """Yield (ifindex, bit/s) of the devices with a token bucket at their root."""
    request = netlink.Message(RTM_GETQDISC, 0, TCMSG.pack(0, 0, 0, 0, 0, 0))
    for data, at, end in link.dump(request):
        _, _, index, _, parent, _ = TCMSG.unpack_from(data, at + 16)
        found = netlink.attributes(data, at + 16 + TCMSG.size, end)
        if parent == TC_H_ROOT and found.get(TCA_KIND, b"").rstrip(b"\0") == b"tbf":
            yield index, _rate(found[TCA_OPTIONS])


def _rate(options: bytes) -> int:
    found = netlink.attributes(options, 0, len(options))
    if TCA_TBF_RATE64 in found:
        octets: int = U64.unpack_from(found[TCA_TBF_RATE64])[0]
    else:
        octets = RATE_SPEC.unpack_from(found[TCA_TBF_PARMS])[5]
    return octets * 8
