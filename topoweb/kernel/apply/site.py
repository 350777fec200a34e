"""One namespace while a plan is written into it."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.kernel.netlink import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.core.plan.actions import Step
    from topoweb.kernel.netlink import Message, Netlink

FIRST_INDEX = 16  # a new namespace may hold lo and up to nine fallback tunnels of the kernel


@dataclass(slots=True)
class Devices:
    """What is known of a namespace's device indexes.

    In a fresh namespace (made in this run) every index is chosen by us, so nothing is ever
    looked up. In an older one a new device's index is left to the kernel and names are asked for.
    """

    fresh: bool = False
    known: dict[str, int] = field(default_factory=lambda: {"lo": 1})
    next_index: int = FIRST_INDEX
    # By address family, once read. Namespaces made together share it: they were born alike.
    forwarding: dict[int, bool] = field(default_factory=dict)

    def allot(self, name: str) -> int:
        """Return the index for a device to be made; 0: the kernel chooses."""
        if not self.fresh:
            return 0
        index = self.next_index
        self.next_index += 1
        self.known[name] = index
        return index


class MissingDeviceError(Exception):
    """A step names a device that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.refusal = Refusal(errno.ENODEV, f"there is no {name}")


class Site:
    """Queues messages step by step and says which step the kernel refused.

    Lives in a thread that has entered the namespace. ``refused(step, message, refusal)`` returns
    a message to send instead, once, or None.
    """

    def __init__(
        self,
        netlink: Netlink,
        devices: Devices,
        refused: Callable[[Step, Message, Refusal], Message | None],
    ) -> None:
        self.netlink = netlink
        self.devices = devices
        self._refused = refused
        self._messages: list[Message] = []
        self._steps: list[Step] = []

    def queue(self, step: Step, message: Message) -> None:
        """Send a message with the next batch, on behalf of a step."""
        self._messages.append(message)
        self._steps.append(step)

    def index(self, name: str) -> int:
        """Return a device's index; what is queued goes out first if the name is not known."""
        index = self.devices.known.get(name)
        if index is None and not self.devices.fresh:
            self.flush()
            index = self.devices.known[name] = self.netlink.index(name)
        if not index:
            self.devices.known.pop(name, None)
            raise MissingDeviceError(name)
        return index

    def known_index(self, name: str) -> int:
        """Return a device's index if it is known without asking, else 0: find it by name."""
        return self.devices.known.get(name, 0)

    def flush(self) -> None:
        """Send what is queued and report refusals."""
        messages, steps = self._messages, self._steps
        self._messages, self._steps = [], []
        again = []
        for position, refusal in self.netlink.send(messages).items():
            repaired = self._refused(steps[position], messages[position], refusal)
            if repaired:
                again.append((steps[position], repaired))
        second = self.netlink.send([message for _, message in again])
        for position, refusal in second.items():
            self._refused(*again[position], refusal)
