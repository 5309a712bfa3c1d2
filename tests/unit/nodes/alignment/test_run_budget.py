"""What a run may spend: each limit ends it with the best persona so far; and answers at once."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from personaagent.core.alignment import EpisodeContext, SimulatedAnswer
from personaagent.core.alignment_state import AlignmentContext, AlignmentPlan
from personaagent.core.records import Profile, Usage
from personaagent.memory.spending import Spent
from personaagent.nodes.alignment import run_budget
from personaagent.nodes.alignment.actor_prompt import ActorPrompt, build_actor_prompt
from personaagent.nodes.alignment.simulator import Simulator
from tests.support.alignment import PREFERENCES, Scripted, World, act, criticise, walks, world
from tests.support.memories import START
from tests.support.scripted_model import Prompt, Reply

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

PRICED = {"price_input": 1000.0, "price_output": 2000.0}
LIMITS = ("calls", "tokens", "seconds", "price")
EARLIER = Spent(calls=1000, tokens=100_000, seconds=100_000.0, price=1000.0)
"""What another run of this day has spent."""


class Clock:
    """With every answer of the actor 100 seconds more than have really passed."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead

    def act(self, prompt: Prompt) -> Reply:
        self.ahead += 100.0
        return act(prompt)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(run_budget, "monotonic", made)
    return made


async def one_rule_a_round(home: Path, clock: Clock, **settings: Any) -> World:
    """Anna wants three rules followed, of which each round can find one."""

    def critique(prompt: Prompt) -> Reply:
        return json.dumps({"points": json.loads(str(criticise(prompt)))["points"][:1]})

    clock.ahead = 0.0
    scripted = Scripted(critique=critique, actor=clock.act)
    there = world(home, scripted, concurrency=1, **(PRICED | settings))
    await there.remember(*walks(8, [*PREFERENCES][:3]))
    return there


async def after_one_round(home: Path, clock: Clock) -> tuple[list[str], Spent]:
    """The rules that a single round finds, and what it spends."""
    there = await one_rule_a_round(home, clock)
    run = await there.align(rounds=1)
    assert run.rounds[0].accepted
    return [rule.text for rule in run.rules_after], await there.memory.spending.today()


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("of", ["run", "setting", "day"])
async def test_each_limit_ends_the_run_with_the_best_so_far(
    tmp_path: Path, clock: Clock, limit: str, of: str
) -> None:
    rules, spent = await after_one_round(tmp_path, clock)
    most = {"calls": 1, "tokens": 1, "seconds": 50.0, "price": 1e-6}[limit] + getattr(spent, limit)
    context, settings = {}, {}
    match of:
        case "run":
            context[limit] = most
        case "setting":
            settings[f"align_{limit}"] = most
        case "day":
            settings[f"align_daily_{limit}"] = most + getattr(EARLIER, limit)
    there = await one_rule_a_round(tmp_path, clock, **settings)
    await there.memory.spending.book("another", EARLIER)
    await there.deps.memory.of(there.store, "ben").spending.book("his", EARLIER)
    run = await there.align(rounds=5, **context)
    assert (run.stopped_by, run.to_version) == (limit, 2)
    assert [rule.text for rule in run.rules_after] == rules, "what the first round found"
    assert len(there.prompts) <= spent.calls + 3, "no second round was paid for in full"


@pytest.mark.parametrize("limit", LIMITS)
async def test_on_a_day_that_is_spent_nothing_begins(
    tmp_path: Path, clock: Clock, limit: str
) -> None:
    daily = {f"align_daily_{limit}": getattr(EARLIER, limit)}
    there = await one_rule_a_round(tmp_path, clock, **daily)
    await there.memory.spending.book("another", EARLIER)
    run = await there.align()
    assert (run.stopped_by, run.to_version, there.prompts) == (limit, 1, [])
    assert await there.memory.unaligned.due(8), "the labels are still new"


async def test_a_caller_can_lower_a_limit_and_not_raise_it(tmp_path: Path, clock: Clock) -> None:
    for calls in (0, 3, 100):
        there = await one_rule_a_round(tmp_path, clock, align_calls=5)
        run = await there.align(calls=calls)
        assert run.stopped_by == "calls"
        assert len(there.prompts) == (calls if calls == 3 else 5)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("written", [0, -1, 10**9])
async def test_a_limit_written_into_the_state_of_a_run_cannot_raise_it(
    tmp_path: Path, limit: str, written: int
) -> None:
    there = world(tmp_path, Scripted(), **(PRICED | {f"align_{limit}": 5}))
    settings, spending = there.deps.settings, there.memory.spending
    context = AlignmentContext(user_id="anna")
    plan = AlignmentPlan.of(context, settings, run="one", trigger="test", at=START.isoformat())
    await spending.book("one", Spent(calls=5, tokens=5, seconds=5.0, price=5.0))
    edited = plan.model_copy(update={limit: written})
    assert (await run_budget.RunBudget.load(edited, settings, spending)).exhausted() == limit


class AtOnce:
    """Stands for the agent: answers after a while, and notes how many it was asked at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def copy(self, _: dict[str, Any]) -> "AtOnce":
        """The same, whatever store it is to run on."""
        return self

    async def ainvoke(self, state: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(20):
            await asyncio.sleep(0)
        self.now -= 1
        return {"messages": [AIMessage("An answer.")], "usage": Usage().stored()}


async def test_no_more_answers_are_asked_for_at_once_than_is_set(tmp_path: Path) -> None:
    """Over all runs together, and no fewer."""
    there = world(tmp_path, Scripted(), concurrency=3)
    history = walks(8, [])
    await there.remember(*history)
    agent = AtOnce()
    simulator = Simulator(there.deps, answer_graphs={False: agent}, open_graphs={})  # type: ignore[dict-item, arg-type]
    settings = there.deps.settings
    context = EpisodeContext(wanted="", hidden=[], recalled=[], profile=Profile())
    prompts = [build_actor_prompt([], episode, context, {}, settings) for episode in history]

    async def one_run(run: str, prompts: list[ActorPrompt]) -> list[SimulatedAnswer]:
        user = AlignmentContext(user_id="anna")
        plan = AlignmentPlan.of(user, settings, run=run, trigger="test", at=START.isoformat())
        budget = await run_budget.RunBudget.load(plan, settings, there.memory.spending)
        return await simulator.simulate(prompts, plan, there.memory, budget)

    answers = await asyncio.gather(one_run("one", prompts[:4]), one_run("two", prompts[4:]))
    assert [each.answer for both in answers for each in both] == ["An answer."] * 8
    assert agent.most == 3


@pytest.mark.parametrize("limit", ["calls", "tokens"])
async def test_runs_side_by_side_spend_no_more_than_the_day_has(tmp_path: Path, limit: str) -> None:
    """Twelve runs, each on a thread of its own, as a client might start them."""
    most = {"calls": 12, "tokens": 200}[limit]
    replies: list[str] = []

    def reply(prompt: Prompt) -> Reply:
        replies.append(str(scripted(prompt)))
        return replies[-1]

    scripted = Scripted()
    there = world(tmp_path, reply, **{f"align_daily_{limit}": most})
    await there.remember(*walks(8, [*PREFERENCES][:2]))
    runs = [replace(there, saver=InMemorySaver()) for _ in range(12)]
    await asyncio.gather(*(each.run({"trigger": "test"}) for each in runs))
    spent = await there.memory.spending.today()
    assert 0 < len(there.prompts) == spent.calls <= 12
    tokens_of_the_longest = 10 + max(len(reply.split(" ")) for reply in replies)
    assert spent.tokens < most + tokens_of_the_longest or limit == "calls"
