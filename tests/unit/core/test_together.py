"""Work done together: a run for all who wait, and another for whoever came meanwhile."""

import asyncio

import pytest

from personaagent.core.together import Together


class Gated:
    """Work that counts its runs and waits to be let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self) -> None:
        self.runs += 1
        self.began.set()
        await self.may_end.wait()


async def test_all_who_ask_at_once_share_a_run() -> None:
    work = Gated()
    work.may_end.set()
    together = Together(work)
    await asyncio.gather(*(together() for _ in range(20)))
    assert work.runs == 1


async def test_who_asks_while_it_runs_gets_the_next_run() -> None:
    work = Gated()
    together = Together(work)
    first = asyncio.create_task(together())
    await work.began.wait()
    later = [asyncio.create_task(together()) for _ in range(20)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in later)
    work.may_end.set()
    await asyncio.gather(first, *later)
    assert work.runs == 2


async def test_a_run_goes_on_for_the_others_if_one_is_cancelled() -> None:
    work = Gated()
    together = Together(work)
    one, other = asyncio.create_task(together()), asyncio.create_task(together())
    await work.began.wait()
    one.cancel()
    work.may_end.set()
    await other
    with pytest.raises(asyncio.CancelledError):
        await one
    assert work.runs == 1


async def test_all_learn_of_a_failure_and_the_next_run_begins_anew() -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("not now")

    together = Together(work)
    failures = await asyncio.gather(together(), together(), return_exceptions=True)
    assert [str(each) for each in failures] == ["not now"] * 2
    await together()
    assert runs == 2


async def test_a_run_that_was_cancelled_before_it_began_does_not_stand_in_the_way() -> None:
    work = Gated()
    together = Together(work)
    first = asyncio.create_task(together())
    await work.began.wait()
    waiting = asyncio.create_task(together())
    await asyncio.sleep(0)
    assert together._next is not None
    together._next.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    work.may_end.set()
    await together()
    await first
    assert work.runs == 2
