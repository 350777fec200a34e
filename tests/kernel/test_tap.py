"""A tap by itself."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest

from topoweb.core.packets import summary
from topoweb.kernel.netns import enter_new, run_apart
from topoweb.kernel.trace.points import Point
from topoweb.kernel.trace.tap import Tap

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
POINT = Point("l1", "n1", "lo", "ab", "n2")


def test_first_packet_of_an_interface_that_was_down_is_not_put_off() -> None:
    """A cable is tapped while it is made: the pending ENETDOWN must not cost a reading.

    Packets of other taps would overtake those that wait behind it.
    """

    def work() -> list[str]:
        enter_new()
        tap = Tap(1, POINT, 0, 2048, 65536)
        with tap.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            udp.sendto(b"first", ("127.0.0.1", 9))
            return [summary(one.data, one.length).protocol for one in tap.receive(16)]

    assert "UDP" in run_apart(work)
