"""Hiding: in the view nothing hidden comes up, and all else is as if it had never been."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Statement
from personaagent.core.settings import RecallMode, load_settings
from personaagent.graphs.agent import build
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory
from tests.support.memories import START, episode, index_in_memory, memory_of, remember
from tests.support.scripted_model import Prompt, Reply, call, scripted_dependencies

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

EPISODES = [
    episode(
        f"e{n}",
        f"rye bread {'again ' * n}number{n}",
        day=n,
        task="t",
        ground_truth=f"answer {n % 3}",
    )
    for n in range(12)
]
NEWEST = frozenset(f"e{n}" for n in (7, 8, 9, 10, 11))
DAY_7 = START + timedelta(days=7)

hidings = pytest.mark.parametrize(
    "hidden",
    [Hidden(NEWEST), Hidden(before=DAY_7), Hidden(NEWEST, DAY_7)],
    ids=["ids", "t", "both"],
)


def test_episodes_are_hidden_by_id_and_by_time() -> None:
    assert not Hidden()
    assert [Hidden(frozenset({"e3"})).hides(each) for each in EPISODES[2:5]] == [False, True, False]
    assert [Hidden(before=DAY_7).hides(each) for each in EPISODES[6:9]] == [False, True, True]


@hidings
@pytest.mark.parametrize("mode", ["hybrid", "dense", "bm25"])
async def test_recall_and_search_ignore_hidden_episodes(
    tmp_path: Path, hidden: Hidden, mode: RecallMode
) -> None:
    anna = memory_of("anna", tmp_path, recall_mode=mode)
    ben = memory_of("anna", tmp_path, recall_mode=mode)
    await remember(anna, *EPISODES)
    await remember(ben, *EPISODES[:7])
    view = anna.hiding(hidden)
    for query in ("rye bread", "again again bread number3"):
        for k in (1, 2, 7, 20):
            recalled = await view.recall(query, k)
            assert recalled.warnings == []
            assert len(recalled.episodes) == min(k, 7), "as many as there are"
            expected = (
                (await ben.recall(query, k)).episodes,
                await ben.search_with_duplicates(query, k),
            )
            assert (recalled.episodes, await view.search_with_duplicates(query, k)) == expected
    assert len((await anna.recall("rye bread", 20)).episodes) == 12, "the memory itself hides none"


async def test_the_duplicate_of_a_hidden_episode_is_recalled(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    twins = [episode(f"e{n}", "my address", day=n, response="1 Elm St") for n in range(2)]
    await remember(anna, *twins)
    assert [each.id for each in (await anna.recall("my address", 5)).episodes] == ["e1"]
    view = anna.hiding(Hidden(frozenset({"e1"})))
    assert [each.id for each in (await view.recall("my address", 5)).episodes] == ["e0"]


@hidings
async def test_the_profile_is_without_what_is_hidden(tmp_path: Path, hidden: Hidden) -> None:
    anna, ben = memory_of("anna", tmp_path), memory_of("anna", tmp_path)
    await remember(anna, *EPISODES)
    await remember(ben, *EPISODES[:7])
    statements = [
        Statement(text="Of old.", evidence=["e1", "e2"]),
        Statement(text="Of both.", evidence=["e1", "e9"]),
        Statement(text="Of late.", evidence=["e9"]),
    ]
    await anna.profile.write_summary(statements, {})
    seen = await anna.hiding(hidden).profile.read()
    assert seen.facts == (await ben.profile.read()).facts
    assert seen.facts[0].count == 7
    assert [each.text for each in seen.summary] == ["Of old."]
    whole = await anna.profile.read()
    assert (whole.facts[0].count, len(whole.summary)) == (12, 3)


async def test_facts_without_hidden_episodes_read_no_others(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await remember(anna, *EPISODES)
    await anna.profile.read()

    def scan(**only: bool) -> Any:
        raise AssertionError("all episodes are read again")

    anna.episodes.scan = scan  # type: ignore[method-assign]
    view = anna.hiding(Hidden(NEWEST)).profile
    assert [each.count for each in (await view.read()).facts] == [7]
    assert [each.id for each in await view.labelled()] == ["e6", "e5", "e4", "e3", "e2", "e1", "e0"]


@hidings
async def test_the_agent_sees_nothing_hidden(tmp_path: Path, hidden: Hidden) -> None:
    """Neither in what is recalled, nor in the profile, nor by the tool."""
    settings = load_settings(home=tmp_path, prompt_tokens=5000, observation_chars=20_000)

    def answer(prompt: Prompt) -> Reply:
        if prompt.observations:
            return f"{prompt.system}\n{prompt.observations}"
        return [call("recall_episodes", query="rye bread", k=20)]

    deps, _ = scripted_dependencies(settings, answer, index_in_memory())
    store = InMemoryStore()
    anna: UserMemory = deps.memory.of(store, "anna")
    secret = episode("e7", "rye bread", day=7, ground_truth="canary", task="t")
    await remember(anna, episode("e1", "rye bread", ground_truth="known", task="t"), secret)
    await anna.profile.write_summary([Statement(text="Likes a canary.", evidence=["e7"])], {})

    async def shown(**context: Any) -> str:
        graph: Any = build(deps).compile(store=store)
        state = await graph.ainvoke(
            {"messages": [HumanMessage("rye bread?")]},
            context={"user_id": "anna", "incognito": True, **context},
        )
        return str(state["messages"][-1].text)

    assert (await shown()).count("canary") == 4, "facts, summary, recalled, tool"
    seen = await shown(hidden=hidden.episodes, before=hidden.before)
    assert "canary" not in seen
    assert seen.count("known") == 3
