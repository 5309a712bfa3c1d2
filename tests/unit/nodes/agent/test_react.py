"""``react``: what the actor is told beside the system prompt."""

from types import SimpleNamespace
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from personaagent.core.records import Episode, Usage
from personaagent.core.settings import Settings
from personaagent.models.tool_choice import RECALLED
from personaagent.nodes.agent.react import react


class Actor:
    """Answers with the memories that it is told of beside the system prompt."""

    max_retries = 0

    def bind_tools(self, tools: Any) -> "Actor":
        return self

    async def ainvoke(self, prompt: list[Any], **options: Any) -> AIMessage:
        [system] = [message for message in prompt if isinstance(message, SystemMessage)]
        assert system.text == "Be kind."
        return AIMessage(" | ".join(system.additional_kwargs[RECALLED]))


async def test_a_choice_of_tools_is_told_what_was_recalled_but_not_what_was_superseded() -> None:
    async def chat(role: str) -> Actor:
        return Actor()

    episodes = [
        Episode(user_id="u", query="We live in Lisbon.", response="Nice."),
        Episode(user_id="u", query="We live in Malmo.", response="Nice.", superseded_by="e1"),
        Episode(user_id="u", query="Which wine?", response="Red.", ground_truth="Port."),
    ]
    state: Any = {
        "messages": [HumanMessage("Where do I live?")],
        "system_prompt": "Be kind.",
        "recalled": [episode.stored() for episode in episodes],
        "steps": 0,
        "usage": Usage().stored(),
    }
    deps: Any = SimpleNamespace(settings=Settings(), tools=[], models=SimpleNamespace(chat=chat))

    update = await react(state, SimpleNamespace(context=None), deps=deps)  # type: ignore[arg-type]

    assert update["messages"][0].text == "We live in Lisbon. | Which wine? Port."
