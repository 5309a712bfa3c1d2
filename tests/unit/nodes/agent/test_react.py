"""``react``: what the actor is told beside the system prompt."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from personaagent.core.records import Episode, Usage
from personaagent.core.settings import Settings
from personaagent.models.tool_choice import RECALLED, TOLD
from personaagent.nodes.agent.react import react


class Actor:
    """Answers with the memories that it is told of beside the system prompt."""

    max_retries = 0
    marks: dict[str, Any]

    def bind_tools(self, tools: Any) -> "Actor":
        return self

    async def ainvoke(self, prompt: list[Any], **options: Any) -> AIMessage:
        [system] = [message for message in prompt if isinstance(message, SystemMessage)]
        self.marks = system.additional_kwargs
        return AIMessage(" | ".join(system.additional_kwargs[RECALLED]) or "I do not know.")


async def asked(question: str, system_prompt: str, *episodes: Episode) -> tuple[Actor, str]:
    """The actor that was asked, and its answer."""
    actor = Actor()

    async def chat(role: str) -> Actor:
        return actor

    state: Any = {
        "messages": [HumanMessage(question)],
        "system_prompt": system_prompt,
        "recalled": [episode.stored() for episode in episodes],
        "steps": 0,
        "usage": Usage().stored(),
    }
    deps: Any = SimpleNamespace(settings=Settings(), tools=[], models=SimpleNamespace(chat=chat))
    with patch("personaagent.nodes.agent.react.turn_meter", return_value=None):  # nobody pays
        update = await react(state, SimpleNamespace(context=None), deps=deps)  # type: ignore[arg-type]
    return actor, update["messages"][0].text


def said(query: str, **more: Any) -> Episode:
    return Episode(user_id="u", query=query, response="Nice.", **more)


async def test_a_choice_of_tools_is_told_what_was_recalled_but_not_what_was_superseded() -> None:
    _, answer = await asked(
        "Where do I live?",
        "Be kind.",
        said("We live in Lisbon."),
        said("We live in Malmo.", superseded_by="e1"),
        said("Which wine?", ground_truth="Port."),
    )
    assert answer == "We live in Lisbon. | Which wine? Port."


async def test_what_a_memory_tells_needs_no_choice_unless_it_was_superseded() -> None:
    key = "I put the key of the boat into the teapot."
    question = "Where did I put the key of the boat?"
    told, _ = await asked(question, "Be kind.", said("I like tea."), said(key))
    superseded, _ = await asked(question, "Be kind.", said(key, superseded_by="e1"))
    assert (told.marks[TOLD], superseded.marks[TOLD]) == (True, False)
