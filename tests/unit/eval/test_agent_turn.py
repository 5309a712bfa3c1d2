"""A turn of the evaluated agent: an answer counts if the agent had its memory."""

from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Usage
from personaagent.core.settings import Settings
from personaagent.eval.samples import Query
from personaagent.eval.solvers.agent_turn import AgentTurns
from personaagent.models.ending import WARNINGS


class Graph:
    """Answers with these warnings."""

    def __init__(self, *warnings: str) -> None:
        self._warnings = [*warnings]

    async def ainvoke(self, state: dict[str, Any], *_: Any, **options: Any) -> dict[str, Any]:
        return {
            "messages": [*state["messages"], AIMessage("Half an")],
            "usage": Usage().stored(),
            "system_prompt": "Be kind.",
            "warnings": self._warnings,
        }


def turns(*warnings: str) -> AgentTurns:
    memory = SimpleNamespace(user_id="anna")
    sample_memory: Any = SimpleNamespace(memory=memory, deps=SimpleNamespace(settings=Settings()))
    graph: Any = Graph(*warnings)
    return AgentTurns(graph, sample_memory, "task", None)


QUERY = Query(id="q", text="How?")


async def test_an_answer_that_was_cut_off_counts() -> None:
    assert (await turns(*WARNINGS.values()).ask(QUERY)).text == "Half an"


async def test_an_answer_without_recall_does_not_count() -> None:
    with pytest.raises(IndexUnavailable, match="The index is down"):
        await turns(WARNINGS["length"], "The index is down.").ask(QUERY)
