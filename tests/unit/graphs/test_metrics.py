"""What is counted, where it happens; and that no label says anything of a user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.store.memory import InMemoryStore
from prometheus_client import REGISTRY as COMMON
from prometheus_client import generate_latest

from personaagent.core import turn_clock
from personaagent.core.errors import UnusableAnswer
from personaagent.core.prometheus import REGISTRY
from personaagent.core.settings import load_settings
from personaagent.graphs.agent import build
from tests.support.alignment import PREFERENCES, Scripted, walks, world
from tests.support.memories import index_in_memory
from tests.support.scripted_model import Responder, scripted_dependencies

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@contextmanager
def counting(name: str, **labels: str) -> Iterator[list[float]]:
    """Puts into its list, when the block ends, how much more was counted in it."""
    more: list[float] = []
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    yield more
    more.append((REGISTRY.get_sample_value(name, labels) or 0.0) - before)


async def ask(home: Path, responder: Responder, text: str, **settings: Any) -> None:
    deps, _ = scripted_dependencies(
        load_settings(home=home, **settings), responder, index_in_memory()
    )
    graph = build(deps).compile(store=InMemoryStore())
    await graph.ainvoke({"messages": [HumanMessage(text)]}, context={"user_id": "anna"})


async def test_a_turn_its_recall_and_its_tokens_are_counted(tmp_path: Path) -> None:
    with (
        counting("personaagent_turns_total") as turns,
        counting("personaagent_turn_seconds_count") as timed,
        counting("personaagent_recall_seconds_count") as recalls,
        counting("personaagent_model_seconds_count", role="actor") as calls,
        counting("personaagent_tokens_total", role="actor", direction="input") as read,
        counting("personaagent_tokens_total", role="actor", direction="output") as wrote,
        counting("personaagent_tokens_total", role="critic", direction="output") as criticised,
    ):
        await ask(tmp_path, lambda _: "Three words more.", "Say three words.")
    assert (turns, timed, recalls, calls) == ([1], [1], [1], [1])
    assert (read, wrote, criticised) == ([10], [3], [0])


async def test_an_answer_that_cannot_be_used_is_a_failure_and_no_turn(tmp_path: Path) -> None:
    with (
        counting("personaagent_turns_total") as turns,
        counting("personaagent_turn_seconds_count") as timed,
        counting("personaagent_failures_total", kind="UnusableAnswer") as failures,
        pytest.raises(UnusableAnswer),
    ):
        await ask(tmp_path, lambda _: "", "Say nothing.")
    assert (turns, timed, failures) == ([0], [0], [1])


async def test_alignments_count_as_accepted_or_refused(tmp_path: Path) -> None:
    aligned = world(tmp_path, Scripted())
    await aligned.remember(*walks(5, [next(iter(PREFERENCES))]))
    with (
        counting("personaagent_alignments_total", outcome="accepted") as accepted,
        counting("personaagent_alignments_total", outcome="refused") as refused,
    ):
        await aligned.align(dry_run=True)
        await aligned.align()
        await aligned.align()
    assert (accepted, refused) == ([1], [1])


async def test_a_simulation_is_no_turn_under_way(tmp_path: Path) -> None:
    aligned = world(tmp_path, Scripted())
    await aligned.remember(*walks(5, [next(iter(PREFERENCES))]))
    under_way = dict(turn_clock._begun)
    await aligned.align()
    assert aligned.prompts
    assert dict(turn_clock._begun) == under_way


def test_nothing_of_it_lies_where_the_server_shows_it_to_anybody() -> None:
    assert b"personaagent_turns_total" in generate_latest(REGISTRY)
    assert b"personaagent" not in generate_latest(COMMON)
