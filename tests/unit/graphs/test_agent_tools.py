"""The agent calls tools: what the model sees of them, what it reads, and where it ends."""

from typing import Any

import pytest
from langchain_core.tools import tool

from personaagent.core.errors import ModelError
from tests.support.agent import Agent, MakeAgent, observations, reply
from tests.support.memories import episode, remember
from tests.support.scripted_model import Prompt, Reply, call

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def test_a_tool_is_called_and_its_result_read(agent: MakeAgent) -> None:
    def answer(prompt: Prompt) -> Reply:
        if prompt.observations:
            return "yes" if "rye bread" in prompt.observations[0] else "no"
        return [call("recall_episodes", query="bread", k=1)]

    anna = agent(answer, top_k=0)
    await remember(anna.memory(), episode("e1", "rye bread"))
    await remember(anna.memory("ben"), episode("e1", "white bread", user_id="ben"))
    assert reply(await anna.ask("what bread?")) == "yes"
    [*_, written] = await anna.episodes()
    assert (written.query, written.response) == ("what bread?", "yes")
    assert written.metadata["tools"] == ["recall_episodes"]
    assert "rye" not in str(written.stored()), "what tools gave is not kept"
    assert reply(await anna.ask("what bread?", "t2", user_id="ben")) == "no"


async def test_what_the_model_sees_of_the_tools(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: "ok")
    await anna.ask("hello")
    parameters = {
        each["function"]["name"]: set(each["function"]["parameters"]["properties"])
        for each in anna.prompts[0].tools
    }
    assert parameters == {
        "search_wikipedia": {"query"},
        "recall_episodes": {"query", "k", "answers", "rest"},
    }
    schema = str(anna.prompts[0].tools)
    for secret in ("user_id", "store", "runtime", "anna"):
        assert secret not in schema


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ([call("no_such_tool", x=1)], "no_such_tool is not a valid tool"),
        ([call("recall_episodes")], "query"),
        ([call("recall_episodes", query="x", k=99)], "less than or equal to 20"),
        ([call("search_wikipedia", query="")], "at least 1 character"),
        ([call("failing", text="x")], "The tool failed (ZeroDivisionError); go on without it."),
    ],
    ids=["unknown tool", "missing argument", "k too large", "empty query", "failing tool"],
)
async def test_a_tool_that_fails_is_told_and_the_turn_goes_on(
    agent: MakeAgent, calls: list[Any], says: str
) -> None:
    @tool
    async def failing(text: str) -> str:
        """Fail."""
        return str(1 / 0)

    anna = agent(lambda prompt: "done" if prompt.observations else calls)
    anna.deps.tools.append(failing)
    anna.graph = anna.compiled(anna.deps)
    state = await anna.ask("go")
    assert reply(state) == "done"
    [message] = observations(state)
    assert says in message.text
    assert message.status == "error"
    assert "Traceback" not in message.text
    assert len(await anna.episodes()) == 1


async def test_observations_are_capped(agent: MakeAgent) -> None:
    anna = agent(
        lambda prompt: "ok" if prompt.observations else [call("recall_episodes", query="b", k=20)],
        observation_chars=600,
    )
    await remember(
        anna.memory(),
        *[episode(f"e{n}", f"b {n} {'long ' * 300}", task="t" * 90) for n in range(20)],
    )
    [message] = observations(await anna.ask("go", top_k=0))
    assert 200 < len(message.text) <= 600
    assert message.text.count("<episode") == message.text.count("</episode>") >= 1


async def test_at_the_cap_of_steps_it_answers_with_what_it_has(agent: MakeAgent) -> None:
    def answer(prompt: Prompt) -> Reply:
        if prompt.tools:
            return [call("recall_episodes", query=f"{len(prompt.observations)}")]
        return f"{len(prompt.observations)} looks; {'No further tool' in prompt.last}"

    anna = agent(answer)
    state = await anna.ask("go")
    assert reply(state) == "5 looks; True"
    assert len(anna.prompts) == state["steps"] == 6
    assert (await anna.episodes())[0].metadata["tools"] == ["recall_episodes"] * 5
    once = Agent(anna.settings.home, lambda prompt: str(prompt.tools), max_steps=1)
    assert reply(await once.ask("go")) == "[]"


async def test_a_model_that_calls_tools_that_were_not_offered(agent: MakeAgent) -> None:
    anna = agent(lambda prompt: [call("recall_episodes", query="x")], max_steps=2)
    with pytest.raises(ModelError, match="empty answer"):
        await anna.ask("go")
    assert await anna.episodes() == []
