"""What a user is told of a run of alignment that failed, from its last checkpoint."""

import re
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph

from personaagent.core.errors import ConfigurationError, Conflict, ModelUnavailable, UsageError
from personaagent.server.errors import kept_sentence

ADDRESS = "http://10.1.2.3:8000"


async def kept(error: Exception) -> str:
    """The error as the checkpoint of a graph keeps it, one of whose nodes has raised it."""

    async def fail(_: dict[str, str]) -> None:
        raise error

    graph: Any = StateGraph(dict).add_node("fail", fail).set_entry_point("fail")
    compiled = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t1"}}
    with pytest.raises(type(error)):
        await compiled.ainvoke({"a": 1}, config)
    [task] = (await compiled.aget_state(config)).tasks
    return str(task.error)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelUnavailable(f"The model at {ADDRESS} is down."), r"do that now \(ModelUnavailable\)"),
        (ConfigurationError(f"{ADDRESS} refuses the key."), r"set up .* \(ConfigurationError\)"),
        (KeyError(ADDRESS), r"do that now \(KeyError\)"),
        (UsageError("Give a query: 'walks'."), r"^Give a query: 'walks'\.$"),
        (UsageError('Say "it\'s so"\nor not.'), '^Say "it\'s so"\nor not\\.$'),
        (Conflict("Somebody else wrote."), r"^Somebody else wrote\.$"),
    ],
)
async def test_of_what_failed_on_the_server_its_user_is_told_the_kind_only(
    error: Exception, told: str
) -> None:
    sentence = kept_sentence(await kept(error))
    assert re.search(told, sentence)
    assert ADDRESS not in sentence
