"""The lines of a scorecard: what is told where it fails midway, or where nobody reads on."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from personaagent.core.errors import Conflict, ModelError, NothingLabelled
from personaagent.server import scorecards
from personaagent.server.scorecards import scorecard_lines

Advance = Callable[[int, int], None]


def lines(monkeypatch: pytest.MonkeyPatch, work: Callable[[Advance], Any]) -> Any:
    async def scorecard(_: Any, __: Any, ___: str, ____: int, advance: Advance) -> Any:
        return await work(advance)

    monkeypatch.setattr(scorecards, "compute_scorecard", scorecard)
    unused: Any = None
    return scorecard_lines(unused, unused, "anna", 20)


async def test_what_fails_midway_is_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(advance: Advance) -> None:
        advance(1, 3)
        raise ModelError("The model is gone.")

    told = [json.loads(line) async for line in lines(monkeypatch, work)]
    assert told[0] == {"done": 1, "of": 3}
    assert "(ModelError)" in told[1]["detail"]


async def test_what_fails_before_anything_is_tested_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(_: Advance) -> None:
        raise NothingLabelled("Nothing is labelled.")

    for _ in range(2):  # and does not stand in the way of the next
        with pytest.raises(NothingLabelled):
            await anext(lines(monkeypatch, work))


async def test_it_is_one_at_a_time_and_given_up_when_nobody_reads_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up = asyncio.Event()

    async def work(advance: Advance) -> None:
        advance(1, 3)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.set()
            raise

    first = lines(monkeypatch, work)
    await anext(first)
    with pytest.raises(Conflict):
        await anext(lines(monkeypatch, work))
    await first.aclose()
    await given_up.wait()
    again = lines(monkeypatch, work)
    assert json.loads(await anext(again)) == {"done": 1, "of": 3}
    await again.aclose()
