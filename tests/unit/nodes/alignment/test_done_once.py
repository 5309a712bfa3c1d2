"""What a run does once for many simulations, counted."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.alignment import EpisodeContext
from personaagent.core.alignment_state import AlignmentContext, AlignmentPlan
from personaagent.core.records import Profile, RoleUsage
from personaagent.memory.simulations import Simulation, Simulations
from personaagent.memory.spending import Spending
from personaagent.nodes.agent import question
from personaagent.nodes.alignment.answer_writer import AnswerWriter
from personaagent.nodes.alignment.run_budget import RunBudget
from tests.support.alignment import PREFERENCES, Scripted, walks, world
from tests.support.memories import START

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


class Counted:
    """A function that counts how often it is called."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.calls = 0

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return lambda *args, **options: self(instance, *args, **options)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        return self.function(*args, **options)


async def test_an_open_question_is_recognised_once_for_all_personas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognised = Counted(question.recognised)
    monkeypatch.setattr(question, "recognised", recognised)
    there = world(tmp_path, Scripted())
    await there.remember(*walks(10, [*PREFERENCES][:2]))
    run = await there.align(batch=3, holdout=5, rounds=1)
    assert run.usage["by_role"]["actor"]["llm_calls"] > 8
    assert recognised.calls == 8, "once for each episode of the run"


async def test_answers_of_the_same_moment_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Counted(Simulations.put_all)
    monkeypatch.setattr(Simulations, "put_all", written)
    memory = world(tmp_path, Scripted()).memory
    writer = AnswerWriter(memory.simulations)
    keys = [f"s{number}" for number in range(20)]
    await asyncio.gather(*(writer.put(Simulation(key, {"answer": key}, [])) for key in keys))
    assert written.calls == 1
    assert await memory.simulations.get(keys) == [{"answer": key} for key in keys]


async def test_calls_that_end_in_the_same_moment_are_booked_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = Counted(Spending.book)
    monkeypatch.setattr(Spending, "book", booked)
    there = world(tmp_path, Scripted())
    settings, spending = there.deps.settings, there.memory.spending
    plan = AlignmentPlan.of(
        AlignmentContext(user_id="anna"), settings, run="run", trigger="test", at=START.isoformat()
    )
    budget = await RunBudget.load(plan, settings, spending)
    one = RoleUsage(llm_calls=1, input_tokens=10, output_tokens=5)
    await asyncio.gather(*(budget.reserve(one) for _ in range(20)))
    await asyncio.gather(*(budget.settle("actor", one, one) for _ in range(20)))
    assert booked.calls == 1
    spent = await spending.today()
    assert (spent.calls, spent.tokens) == (20, 300)


def test_a_context_of_an_earlier_version_leaves_open_whether_the_question_is() -> None:
    stored = EpisodeContext(wanted="", hidden=[], recalled=[], profile=Profile()).stored()
    stored.pop("open", None)
    assert EpisodeContext.model_validate(stored).open is False
