"""Who may have a packet dissected when: one a lab, two at a time, the others wait or are told."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import TYPE_CHECKING, Any

import pytest

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.engine import dissecting
from topoweb.engine.dissecting import Dissecting

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = {"data": base64.b64encode(b"frame").decode(), "length": 60, "time_ns": 7}


class FakeDissector:
    def __init__(self) -> None:
        self.free = threading.Semaphore(0)
        self.asked: list[tuple[bytes, int, int]] = []
        self.fault: ErrorKind | None = None
        self.running = self.most = 0

    def dissect(self, frame: bytes, length: int, time_ns: int) -> bytes:
        self.asked.append((frame, length, time_ns))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            assert self.free.acquire(timeout=20)
            if self.fault:
                raise TopowebError(self.fault, "why")
        finally:
            self.running -= 1
        return b"<pdml/>"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a thread has no event of ours
            await asyncio.sleep(0)


async def test_a_question_is_answered() -> None:
    fake = FakeDissector()
    fake.free.release()
    assert await Dissecting(fake).answer(3, QUESTION) == {"pdml": "<pdml/>"}
    assert fake.asked == [(b"frame", 60, 7)]


@pytest.mark.parametrize(
    ("kind", "code"),
    [(ErrorKind.UNSUPPORTED, "tshark-missing"), (ErrorKind.INTERNAL, "tshark-failed"),
     (ErrorKind.LIMIT, "tshark-busy"), (ErrorKind.LOST, "tshark-failed")],
)  # fmt: skip
async def test_a_fault_is_an_answer_too(kind: ErrorKind, code: str) -> None:
    fake = FakeDissector()
    fake.fault = kind
    fake.free.release()
    assert await Dissecting(fake).answer(3, QUESTION) == {"error": code, "reason": "why"}


@pytest.mark.parametrize(
    "wrong",
    [{"data": "?"}, {"data": None}, {"length": "60"}, {"length": -1}, {"time_ns": 1 << 63}, {}],
)
async def test_a_wrong_question_is_refused(wrong: dict[str, Any]) -> None:
    question = {**QUESTION, **wrong} if wrong else {}
    with pytest.raises(TopowebError):
        await Dissecting(FakeDissector()).answer(3, question)


async def test_two_at_a_time_and_one_a_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeDissector()
    service = Dissecting(fake)
    tasks = [asyncio.create_task(service.answer(lab, QUESTION)) for lab in (1, 1, 1, 2, 3, 3)]
    for _ in tasks:
        fake.free.release()
    answers = await asyncio.gather(*tasks)
    assert answers == [{"pdml": "<pdml/>"}] * 6
    assert fake.most <= 2
    assert not service._turns

    monkeypatch.setattr(dissecting, "PATIENCE", 0.05)
    first = asyncio.create_task(service.answer(1, QUESTION))
    await until(lambda: fake.running == 1)
    assert (await service.answer(1, QUESTION))["error"] == "tshark-busy"
    second = asyncio.create_task(service.answer(2, QUESTION))
    await until(lambda: fake.running == 2)
    assert (await service.answer(3, QUESTION))["error"] == "tshark-busy"
    fake.free.release(2)
    assert "pdml" in await first
    assert "pdml" in await second
    fake.free.release()
    assert "pdml" in await service.answer(3, QUESTION)
    assert not service._turns
