"""Messages on the channel layer: who can write there may ring, and nothing more."""

from __future__ import annotations

import asyncio
import logging

import pytest
from channels.layers import InMemoryChannelLayer

from tests.attack.register import attack, case
from tests.fakes.kernel import FakeKernel
from tests.fakes.store import MemoryStore
from tests.unit.engine.test_supervisor import supervised
from tests.web.test_worker_consumer import hearing
from topoweb.protocol import doorbell

FORGED = {
    "another-type": {"type": "lab.destroy", "lab": 3},
    "a-method's-name": {"type": "run", "lab": 3},
    "a-private-method": {"type": "_renew", "lab": 3},
    "no-type": {"lab": 3},
    "type-as-list": {"type": ["lab.wake"], "lab": 3},
    "lab-as-text": {"type": "lab.wake", "lab": "3; reboot"},
    "lab-as-path": {"type": "lab.wake", "lab": "../../etc"},
    "lab-as-list": {"type": "lab.wake", "lab": [3]},
    "lab-as-object": {"type": "lab.wake", "lab": {"$gt": 0}},
    "lab-as-float": {"type": "lab.wake", "lab": 3.5},
    "lab-as-boolean": {"type": "lab.wake", "lab": True},
    "lab-negative": {"type": "lab.wake", "lab": -1},
    "lab-beyond-the-database": {"type": "lab.wake", "lab": 10**30},
    "lab-missing": {"type": "lab.wake"},
    "a-megabyte": {"type": "x" * (1 << 20), "lab": 3},
    "control-characters": {"type": "lab.wake\x1b]0;owned\x07\r\nFAKE LOG LINE", "lab": 3},
}


@pytest.mark.parametrize(
    "message",
    [case(name, f"doorbell on the worker's channel: {name}",
          "logged in one short line, not believed; the next true one is heard", message)
     for name, message in FORGED.items()],
)  # fmt: skip
async def test_forged(message, caplog):
    layer = InMemoryChannelLayer()
    channel = doorbell.worker_channel("local")
    with caplog.at_level(logging.WARNING, "topoweb.worker.consumer"):
        async with hearing(layer) as heard:
            await layer.send(channel, message)
            await layer.send(channel, dict(doorbell.wake(5)))
            await heard.until([5])
    (said,) = [record.getMessage() for record in caplog.records]
    assert len(said) < 300
    assert said.isprintable()


@attack(
    "ten thousand true doorbells for labs that are not there",
    "the kernel is not touched, no task stays",
)
async def test_labs_that_are_not_there():
    kernel, store = FakeKernel(), MemoryStore()
    async with supervised(kernel, store) as (supervisor, _):
        for number in range(10_000):
            supervisor.wake(10_000 + number)
        async with asyncio.timeout(60):
            while not supervisor.idle:  # noqa: ASYNC110 - the supervisor tells nobody
                await asyncio.sleep(0)
    assert (list(kernel.labs()), kernel.writes) == ([], 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
