"""Work beside a conversation: one piece at a time, and none by itself after one that failed."""

import asyncio
from contextvars import ContextVar

import pytest

from personaagent.nodes.background_tasks import BackgroundTasks


async def test_a_second_piece_waits_for_nobody_but_does_not_begin() -> None:
    work, release = BackgroundTasks[str]("work"), asyncio.Event()
    begun: list[str] = []

    async def piece(name: str) -> str:
        begun.append(name)
        await release.wait()
        return name

    first = work.start("anna", lambda: piece("first"))
    assert work.start("anna", lambda: piece("second")) is first
    other = work.start("ben", lambda: piece("other"))
    assert (work.is_running("anna"), work.may_start("anna"), work.may_start("carl")) == (
        True,
        False,
        True,
    )
    release.set()
    await work.finish()
    assert (first.result(), other.result(), begun) == ("first", "other", ["first", "other"])
    assert (work.is_running("anna"), work.may_start("anna")) == (False, True)


async def test_a_piece_knows_nothing_of_whoever_began_it() -> None:
    turn = ContextVar("turn", default="none")
    turn.set("anna's turn")

    async def piece() -> str:
        return turn.get()

    assert await BackgroundTasks[str]("work").start("anna", piece) == "none"


@pytest.mark.parametrize("error", [None, RuntimeError("no")])
async def test_only_what_failed_is_not_begun_again(error: Exception | None) -> None:
    work = BackgroundTasks[None]("work")

    async def piece() -> None:
        if error:
            raise error
        await asyncio.Event().wait()

    task = work.start("anna", piece)
    await asyncio.sleep(0)
    await work.cancel("anna")
    assert task.cancelled() == (error is None)
    assert work.may_start("anna") == (error is None)
