"""``react``: the actor answers, or asks for a tool (ReAct, arXiv 2210.03629)."""

from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately
from langgraph.runtime import Runtime

from personaagent.core.records import Usage
from personaagent.core.states import AgentContext, AgentState
from personaagent.models.invoke import invoke_model
from personaagent.models.usage import usage_of
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.render import render


async def react(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """One step of the actor, tools bound; at the cap of steps it must answer with what it has.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    settings = deps.settings
    last = state["steps"] + 1 >= settings.max_steps
    prompt: list[AnyMessage] = [
        SystemMessage(state["system_prompt"]),
        *recent(state["messages"], settings.history_tokens),
    ]
    if last and state["steps"] > 0:
        prompt.append(HumanMessage(render("at_the_cap")))
    actor = await deps.models.chat("actor")
    reply = await invoke_model(actor, prompt, role="actor", tools=None if last else deps.tools)
    usage = Usage.model_validate(state["usage"]).add("actor", usage_of(reply))
    return {"messages": [reply], "steps": state["steps"] + 1, "usage": usage.stored()}


def recent(messages: list[AnyMessage], most_tokens: int) -> list[AnyMessage]:
    """This turn whole, and of the conversation before it as much as fits into ``most_tokens``."""
    turn = max(i for i, message in enumerate(messages) if isinstance(message, HumanMessage))
    before: list[AnyMessage] = trim_messages(  # type: ignore[assignment]
        messages[:turn],
        max_tokens=most_tokens,
        token_counter=count_tokens_approximately,
        strategy="last",
        start_on="human",
    )
    return before + messages[turn:]
