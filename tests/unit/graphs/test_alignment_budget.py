"""What an alignment may spend, and what it pays for once."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personaagent.memory.pending import PendingSet
from personaagent.memory.simulations import Simulations
from tests.support.alignment import (
    PREFERENCES,
    Scripted,
    World,
    act,
    walks,
    world,
)
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

[KILOMETRES, _, WEATHER, *_] = PREFERENCES


async def rules_of(there: World) -> list[str]:
    return [rule.text for rule in (await there.memory.personas.current()).rules]


@pytest.mark.parametrize(
    ("limit", "settings"),
    [
        ({"calls": 20}, {}),
        ({"tokens": 300}, {}),
        ({"price": 0.002}, {"price_input": 10.0}),
        ({}, {"align_daily_calls": 20}),
    ],
)
async def test_a_budget_ends_the_run_with_the_best_so_far(
    tmp_path: Path, limit: dict[str, Any], settings: dict[str, Any]
) -> None:
    there = world(tmp_path, Scripted(), **settings)
    await there.remember(*walks(8, [KILOMETRES, WEATHER]))
    run = await there.align(rounds=8, **limit)
    assert run.stopped_by == (next(iter(limit)) if limit else "calls")
    assert run.usage["llm_calls"] < 40
    assert (await there.memory.spending.today()).calls == run.usage["llm_calls"]


async def test_what_a_run_spends_counts_once_however_often_it_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> None:
        raise RuntimeError("killed")

    def dying() -> Callable[[Prompt], Reply]:
        left = iter(range(4))

        def respond(prompt: Prompt) -> Reply:
            return RuntimeError("killed") if next(left, None) is None else alive(prompt)

        return respond

    def answered() -> int:
        return sum(alive.calls.values())

    alive = Scripted()
    there = world(tmp_path, alive, concurrency=1)
    await there.remember(*walks(6, [KILOMETRES]))
    start: dict[str, str] | None = {"trigger": "test"}
    with monkeypatch.context() as ending:
        ending.setattr(PendingSet, "clear", killed)  # once it has published
        while (await there.memory.personas.current()).version == 1:
            there.goes_on(dying())
            with pytest.raises(RuntimeError, match="killed"):
                await there.run(start, rounds=1)
            start = None
            assert (await there.memory.spending.today()).calls == answered() > 0
    await there.run(None, rounds=1)
    assert (await there.memory.spending.today()).calls == answered() > 12


@pytest.mark.parametrize(("calls", "node"), [(6, "compare"), (7, "critique"), (8, "update")])
async def test_no_model_is_asked_beyond_the_budget(tmp_path: Path, calls: int, node: str) -> None:
    there = world(tmp_path, Scripted(), align_daily_calls=calls)
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align()
    assert len(there.prompts) == calls, f"{node} is the last that asks"
    assert (run.stopped_by, run.to_version) == ("calls", 1)
    assert [rule.text for rule in run.rules_after] == await rules_of(there)


async def test_no_judge_is_asked_beyond_the_budget(tmp_path: Path) -> None:
    judged = json.dumps({"why": "The measure differs.", "score": 1})

    def actor(prompt: Prompt) -> Reply:
        return judged if "You compare two answers" in prompt.last else act(prompt)

    there = world(tmp_path, Scripted(actor=actor), align_text_metric="judge")
    await there.remember(*walks(6, [KILOMETRES]))
    run = await there.align(calls=8)
    assert (len(there.prompts), run.stopped_by) == (8, "calls")


async def test_an_answer_that_is_being_kept_holds_up_no_other_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where there is room for one call alone; the run that waits begins no other itself."""
    stuck, free = asyncio.Event(), asyncio.Event()
    keep = Simulations.put_all

    async def put(simulations: Simulations, *arguments: Any, **options: Any) -> None:
        if simulations.store.user_id == "anna":
            stuck.set()
            await free.wait()
        await keep(simulations, *arguments, **options)

    monkeypatch.setattr(Simulations, "put_all", put)
    anna = world(tmp_path, Scripted(), concurrency=1)
    ben = replace(anna, user="ben")
    for there in (anna, ben):
        own = [w.model_copy(update={"user_id": there.user}) for w in walks(4, [KILOMETRES])]
        await there.remember(*own)
    waiting = asyncio.create_task(anna.align(rounds=1))
    async with asyncio.timeout(60):
        await stuck.wait()
    assert len(anna.prompts) == 1
    async with asyncio.timeout(60):
        run = await ben.align(rounds=1)
    assert run.to_version == 2
    assert len(anna.prompts) == 1 + run.usage["llm_calls"]
    free.set()
    assert (await waiting).to_version == 2


async def test_a_judgement_is_paid_for_once(tmp_path: Path) -> None:
    judged = json.dumps({"why": "The measure differs.", "score": 1})
    asked: list[str] = []

    def actor(prompt: Prompt) -> Reply:
        if "You compare two answers" not in prompt.last:
            return act(prompt)
        asked.append(prompt.last)
        return judged

    scripted = Scripted(actor=actor, propose=lambda prompt, missing: [])
    there = world(tmp_path, scripted, align_text_metric="judge")
    await there.remember(*walks(6, [KILOMETRES]))
    for _ in range(2):
        await there.align(rounds=2)
    assert len(asked) == len(set(asked)) > 0
