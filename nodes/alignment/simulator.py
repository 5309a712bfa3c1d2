"""Answering an episode's query again, as the agent would under another persona."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from personaagent.core.alignment_state import Plan
from personaagent.core.errors import ServiceError
from personaagent.core.records import Episode, Profile, Record, Rule, Usage
from personaagent.core.states import AgentContext
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.inject_persona import system_prompt
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.alignment.budget import Budget
from personaagent.nodes.alignment.case import as_persona
from personaagent.nodes.parts import Parts

Answering = CompiledStateGraph[Any, AgentContext, Any, Any]
"""The agent from its system prompt to its answer: ``react <-> tools``."""


class Scene(Record):
    """What the agent has before it when it answers an episode's query: all but the persona.

    ``hidden`` are the episodes that it must not see: the episode itself at least.
    """

    hidden: list[str]
    recalled: list[str]
    profile: Profile


class Simulated(Record):
    """An answer, or why there is none (``error``)."""

    answer: str | None = None
    error: str = ""
    usage: Usage = Usage()
    cached: bool = False


@dataclass(frozen=True)
class Simulator:
    """Simulates answers, a limited number at once over all users, each one paid for only once.

    ``answering`` is the agent without and with tools. What was simulated is kept in the user's
    own part of the store, by all that the model was told and by whom it is played.
    """

    parts: Parts
    answering: Mapping[bool, Answering]
    room: asyncio.Semaphore

    async def scene(
        self,
        episode: Episode,
        hidden: frozenset[str],
        plan: Plan,
        memory: UserMemory,
        runtime: Runtime[Any],
    ) -> tuple[Scene, list[str]]:
        """What comes to mind for the episode's query, by the agent's own ``recall``; and warnings.

        The episode, all ``hidden`` and, if the plan is causal, all that came later stay unseen.
        """
        hidden |= {episode.id}
        state: Any = {"messages": [HumanMessage(episode.query)]}
        context = _context(memory, episode, hidden, plan)
        known = await recall(state, runtime.override(context=context), parts=self.parts)
        ids = [each["id"] for each in known["recalled"]]
        scene = Scene(hidden=sorted(hidden), recalled=ids, profile=known["profile"])
        return scene, known["warnings"]

    async def simulate(
        self,
        episode: Episode,
        scene: Scene,
        rules: Sequence[Rule],
        plan: Plan,
        memory: UserMemory,
        budget: Budget,
    ) -> Simulated:
        """The agent's answer to the episode's query under a persona of these rules.

        A model that fails costs this one answer, and so does a budget that is spent.

        Raises:
            ConfigurationError: every other answer would fail like this one.
        """
        recalled = await memory.episodes.find(scene.recalled)
        prompt, _ = system_prompt(as_persona(rules), scene.profile, recalled, self.parts.settings)
        key = self._key(prompt, episode, scene, plan)
        [kept] = await memory.simulations.get([key])
        if kept is not None:
            return Simulated(answer=kept["answer"], cached=True)
        state = {
            "messages": [HumanMessage(episode.query)],
            "system_prompt": prompt,
            "steps": 0,
            "usage": Usage().stored(),
        }
        context = _context(memory, episode, frozenset(scene.hidden), plan)
        try:
            async with self.room:
                if spent := budget.exhausted():
                    return Simulated(error=f"The run's limit of {spent} was reached before this.")
                done = await self.answering[plan.tools].ainvoke(
                    state, context=context, durability="exit"
                )
        except ServiceError as error:
            return Simulated(error=str(error))
        answer = done["messages"][-1].text
        used = Usage.model_validate(done["usage"])
        budget.spend(used)
        await memory.simulations.put(key, {"answer": answer})
        return Simulated(answer=answer, usage=used)

    def _key(self, prompt: str, episode: Episode, scene: Scene, plan: Plan) -> str:
        """Of all that decides the answer; what tools will find is decided by what is hidden."""
        within_reach = [scene.hidden, plan.causal] if plan.tools else []
        actor = self.parts.models.describe("actor")
        told = [actor, self.parts.settings.max_steps, prompt, episode.query, within_reach]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _context(
    memory: UserMemory, episode: Episode, hidden: frozenset[str], plan: Plan
) -> AgentContext:
    return AgentContext(
        user_id=memory.user_id,
        incognito=True,
        hidden=hidden,
        before=episode.created_at if plan.causal else None,
    )
