"""The system prompt as a user may read it: what a question would be asked with, asking nobody."""

import asyncio
from functools import partial
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from personaagent.core.records import Record
from personaagent.core.states import AgentContext
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.inject_persona import inject_persona
from personaagent.nodes.agent.question import NOTHING_CLOSED, question
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.dependencies import Dependencies


class ShownPrompt(Record):
    """The system prompt of a question now, and the episodes in it, best first.

    ``tokens`` is an estimate. A thread's own system messages would follow at its end.
    """

    system_prompt: str
    tokens: int
    persona_version: int
    recalled: list[str]
    warnings: list[str]


async def shown_prompt(
    deps: Dependencies, memory: UserMemory, text: str, task: str | None, timezone: str | None
) -> ShownPrompt:
    """The system prompt for this question; without one, the part that every question shares.

    No model is called, nothing is written, and no episode is newer for it.

    Raises:
        UsageError: text, task or time zone cannot be used.
        DataError: the memory cannot be read.
    """
    asked = partial(AgentContext, user_id=memory.user_id, task=task, timezone=timezone)
    context = await asyncio.to_thread(asked, incognito=True)  # a time zone is a file
    runtime = Runtime(context=context, store=memory.store.base_store)
    state: Any = {"messages": [HumanMessage(text)]}
    if text:
        state |= await recall(state, runtime, deps=deps)
        state |= await question(state, runtime, deps=deps)
    else:
        profile = (await memory.profile.read()).stored()
        state |= NOTHING_CLOSED | {"recalled": [], "profile": profile, "warnings": []}
    state |= dict((await inject_persona(state, runtime, deps=deps)).update or {})
    return ShownPrompt(
        system_prompt=state["system_prompt"],
        tokens=estimate_tokens(state["system_prompt"]),
        persona_version=state["persona"]["version"],
        recalled=[episode["id"] for episode in state["recalled"]],
        warnings=state["warnings"],
    )
