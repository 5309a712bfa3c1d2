"""The tokens that a user's turns and summaries may use in a day."""

import asyncio
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import LimitReached, UnusableAnswer
from personaagent.core.records import RoleUsage
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build
from personaagent.memory.spending import Spent
from personaagent.models.metering import metered, metered_call
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.profile_refresh import start_refresh
from personaagent.nodes.user_meter import spending_of, user_meter
from tests.support.alignment import Scripted, walks, world
from tests.support.memories import episode, index_in_memory, remember
from tests.support.scripted_model import Prompt, scripted_dependencies

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


class Answering:
    """An agent that answers anybody, and its prompts."""

    def __init__(self, home: Path, **settings: Any) -> None:
        made = load_settings(home=home, **settings)
        self.deps: Dependencies
        self.deps, self.prompts = scripted_dependencies(made, lambda _: "Yes.", index_in_memory())
        self.store = InMemoryStore()

    async def ask(self, user: str) -> Any:
        graph = build(self.deps).compile(store=self.store)
        asked = {"messages": [HumanMessage("Is it warm?")]}
        return await graph.ainvoke(asked, context={"user_id": user})

    async def spent(self, user: str) -> Spent:
        return await spending_of(self.deps.memory.of(self.store, user), "turns").today()


async def test_a_turn_is_refused_before_the_model_is_asked(tmp_path: Path) -> None:
    there = Answering(tmp_path, daily_tokens=20)
    while (await there.spent("anna")).tokens < 20:
        await there.ask("anna")
    asked = len(there.prompts)
    with pytest.raises(
        LimitReached, match=r"^Your tokens of this day are used up: try again after"
    ):
        await there.ask("anna")
    assert len(there.prompts) == asked == (await there.spent("anna")).calls
    await there.ask("ben")
    assert len(there.prompts) == asked + 1, "each has a day of their own"


async def test_turns_at_once_do_not_pass_the_limit_together(tmp_path: Path) -> None:
    there = Answering(tmp_path, daily_tokens=300)
    turns = (there.ask("anna") for _ in range(20))
    done = await asyncio.gather(*turns, return_exceptions=True)
    refused = [each for each in done if isinstance(each, LimitReached)]
    assert all(0 < each.retry_after <= 24 * 3600 for each in refused)
    assert len(there.prompts) == 20 - len(refused) < 20
    assert (await there.spent("anna")).calls == len(there.prompts)


async def test_without_a_limit_nothing_is_counted(tmp_path: Path) -> None:
    there = Answering(tmp_path)
    await there.ask("anna")
    assert await there.spent("anna") == Spent()


async def test_a_summary_is_paid_for_too(tmp_path: Path) -> None:
    there = Answering(tmp_path, daily_tokens=20)
    anna = there.deps.memory.of(there.store, "anna")
    await remember(anna, *[episode(f"e{n}", f"I like rye {n}") for n in range(3)])
    meter = user_meter(anna, there.deps.settings)
    assert meter is not None
    await meter.spending.add("together", Spent(tokens=20))
    refreshing = start_refresh(there.deps, anna, UTC)
    assert refreshing is not None
    with pytest.raises(LimitReached):
        await refreshing
    assert there.prompts == []
    assert await anna.profile.unsummarised(), "it is read another day"


async def test_alignment_is_paid_for_by_its_own_limits(tmp_path: Path) -> None:
    there = world(tmp_path, Scripted(), daily_tokens=1)
    await there.remember(*walks(6, []))
    await there.align(rounds=1)
    assert there.prompts
    assert await spending_of(there.memory, "turns").today() == Spent()


async def test_whoever_pays_first_pays(tmp_path: Path) -> None:
    """A simulation runs the agent's own nodes, which would pay from the day of turns."""
    paid: list[str] = []

    class Purse:
        def __init__(self, name: str) -> None:
            self.name = name

        async def reserve(self, expected: Any) -> None:
            paid.append(self.name)

        async def settle(self, role: Any, expected: Any, used: Any) -> None:
            assert used.llm_calls == 1

    there = Answering(tmp_path, daily_tokens=1)
    with metered(Purse("outer")), metered(Purse("inner")):
        await there.ask("anna")
    assert paid == ["outer"]


async def test_an_answer_that_fails_costs_nothing_and_one_that_is_cancelled_does(
    tmp_path: Path,
) -> None:
    def fails(_: Prompt) -> Any:
        return RuntimeError("broken")

    there = Answering(tmp_path, daily_tokens=1000)
    there.deps, _ = scripted_dependencies(there.deps.settings, fails, index_in_memory())
    with pytest.raises(RuntimeError, match="broken"):
        await there.ask("anna")
    assert (await there.spent("anna")).tokens == 0

    anna = there.deps.memory.of(there.store, "anna")
    with metered(user_meter(anna, there.deps.settings)), suppress(asyncio.CancelledError):
        async with metered_call("actor", [HumanMessage("Is it warm?")], 1):
            raise asyncio.CancelledError
    assert (await there.spent("anna")).calls == 1


async def costs(there: Answering, user: str) -> dict[str, RoleUsage]:
    [day] = await there.deps.memory.of(there.store, user).costs.by_day()
    return day.by_purpose


async def test_what_turns_and_summaries_take_is_noted_by_purpose(tmp_path: Path) -> None:
    there = Answering(tmp_path)
    await there.ask("anna")
    await there.ask("anna")
    anna = there.deps.memory.of(there.store, "anna")
    refresh = start_refresh(there.deps, anna, UTC)
    assert refresh is not None
    with suppress(UnusableAnswer):  # it is paid for all the same
        await refresh
    noted = await costs(there, "anna")
    asked = noted["answers"].llm_calls + noted["summaries"].llm_calls
    assert (noted["answers"].llm_calls, asked) == (2, len(there.prompts))
    assert noted["answers"].input_tokens > noted["answers"].output_tokens > 0
    assert await there.deps.memory.of(there.store, "ben").costs.by_day() == []


async def test_an_incognito_turn_is_not_noted(tmp_path: Path) -> None:
    there = Answering(tmp_path)
    graph = build(there.deps).compile(store=there.store)
    asked = {"messages": [HumanMessage("Is it warm?")]}
    await graph.ainvoke(asked, context={"user_id": "anna", "incognito": True})
    assert await there.deps.memory.of(there.store, "anna").costs.by_day() == []


async def test_what_is_limited_is_noted_too(tmp_path: Path) -> None:
    there = Answering(tmp_path, daily_tokens=10_000)
    await there.ask("anna")
    noted, spent = (await costs(there, "anna"))["answers"], await there.spent("anna")
    assert noted.input_tokens + noted.output_tokens == spent.tokens
