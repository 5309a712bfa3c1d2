"""Answering an episode's query again, as the agent would under another persona."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from langchain_core.messages import HumanMessage
from langgraph.errors import NodeTimeoutError
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from personaagent.core.alignment_state import AlignmentState, Branch, Plan
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.records import Episode, Profile, Record, Rule, Usage
from personaagent.core.states import AgentContext, SimulatedContext
from personaagent.memory.ranking import same_query
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.inject_persona import system_prompt
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.alignment.critique_input import as_persona
from personaagent.nodes.alignment.run_budget import Budget
from personaagent.nodes.dependencies import Dependencies

Answering = CompiledStateGraph[Any, AgentContext, Any, Any]
"""The agent from its system prompt to its answer: ``react <-> tools``."""
SCENES_AT_ONCE = 16


class EpisodeContext(Record):
    """What the agent has before it when it answers an episode's query: all but the persona.

    ``hidden`` are the episodes that it must not see: the episode itself at least. ``wanted`` is what
    the user wanted of this one then.
    """

    wanted: str
    hidden: list[str]
    recalled: list[str]
    profile: Profile


class ActorPrompt(Record):
    """What the actor is told in one simulation: the system prompt, then the episode's query.

    ``sources`` are the ids of all episodes that may show in the answer.
    """

    prompt: str
    episode: Episode
    scene: EpisodeContext
    sources: list[str]


class SimulatedAnswer(Record):
    """An answer, or why there is none (``error``)."""

    answer: str | None = None
    error: str = ""
    usage: Usage = Usage()
    cached: bool = False


@dataclass(frozen=True)
class Simulator:
    """Simulates answers, each one paid for only once.

    ``answering`` is the agent without and with tools. What was simulated is kept in the user's
    own part of the store, by all that the model was told and by whom it is played. ``recalling`` is
    for scenes, as ``deps.model_slots`` is for model calls: no user's calls wait for another's scenes.
    """

    deps: Dependencies
    answering: Mapping[bool, Answering]
    budgets: LRUCache[str, Budget] = field(default_factory=lambda: LRUCache(1024))
    recalling: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SCENES_AT_ONCE))

    async def budget(self, state: AlignmentState | Branch, memory: UserMemory) -> Budget:
        """The budget of a run, one for all of its branches in this process."""
        plan, finished = Plan.model_validate(state["plan"]), Usage.model_validate(state["usage"])
        now = await Budget.of(plan, self.deps.settings, memory.spending, finished)
        known = self.budgets.setdefault(plan.run, now)
        known.refresh(now)
        return known

    async def scene(
        self,
        episode: Episode,
        hidden: frozenset[str],
        plan: Plan,
        memory: UserMemory,
        runtime: Runtime[Any],
    ) -> EpisodeContext:
        """What comes to mind for the episode's query, by the agent's own ``recall``.

        The episode, whatever else asks the same, all ``hidden`` and, if the plan is causal, all
        that came later stay unseen.

        Raises:
            IndexUnavailable: nothing can be recalled now; a persona is not proved without memory.
        """
        hidden |= {episode.id}
        state: Any = {"messages": [HumanMessage(episode.query)]}
        context = _context(memory, episode, hidden, plan)
        async with self.recalling:  # what waits here does not use up recall's own patience
            known = await recall(state, runtime.override(context=context), deps=self.deps)
        if known["warnings"]:
            raise IndexUnavailable(
                f"Nothing can be proved without memory: try again. {' '.join(known['warnings'])}"
            )
        recalled = {each["id"]: each["query"] for each in known["recalled"]}
        same = {id for id, query in recalled.items() if same_query(query, episode.query)}
        return EpisodeContext(
            wanted=episode.ground_truth or "",
            hidden=sorted(hidden | same),
            recalled=[each for each in recalled if each not in same],
            profile=known["profile"],
        )

    def told(
        self,
        rules: Sequence[Rule],
        episode: Episode,
        scene: EpisodeContext,
        known: Mapping[str, Episode],
    ) -> ActorPrompt:
        """What the actor is told under a persona of these rules; ``known`` holds what is recalled."""
        recalled = [known[each] for each in scene.recalled if each in known]
        prompt, _ = system_prompt(as_persona(rules), scene.profile, recalled, self.deps.settings)
        evidence = [each for rule in rules for each in rule.evidence]
        sources = list(dict.fromkeys([episode.id, *scene.recalled, *evidence]))
        return ActorPrompt(prompt=prompt, episode=episode, scene=scene, sources=sources)

    async def simulate(
        self, told: Sequence[ActorPrompt], plan: Plan, memory: UserMemory, budget: Budget
    ) -> list[SimulatedAnswer]:
        """The agent's answers, side by side; what is kept of earlier ones is looked up at once.

        A model that fails costs one answer, and so does a budget that is spent.

        Raises:
            ConfigurationError: every answer would fail like this one.
        """
        keys = [self._key(each, plan) for each in told]
        kept = await memory.simulations.get(keys)
        return await asyncio.gather(
            *(
                self._answer(each, key, plan, memory, budget)
                if value is None
                else _kept(value["answer"])
                for each, key, value in zip(told, keys, kept, strict=True)
            )
        )

    async def _answer(
        self, told: ActorPrompt, key: str, plan: Plan, memory: UserMemory, budget: Budget
    ) -> SimulatedAnswer:
        state = {
            "messages": [HumanMessage(told.episode.query)],
            "system_prompt": told.prompt,
            "steps": 0,
            "usage": Usage().stored(),
        }
        context = _context(memory, told.episode, frozenset(told.scene.hidden), plan)
        try:
            async with budget.model_slots:
                async with self.deps.model_slots:
                    if refusal := budget.refusal():
                        return SimulatedAnswer(error=refusal)
                    done = await self.answering[plan.tools].ainvoke(state, context=context)
                    answer = done["messages"][-1].text
                    used = Usage.model_validate(done["usage"])
                    budget.count(used)
                # Kept before another of the run may begin, so that a kill costs no more answers
                # than are under way; other runs need not wait for that.
                await asyncio.gather(
                    budget.book(),
                    memory.simulations.put(key, {"answer": answer}, sources=told.sources),
                )
        except (ServiceError, NodeTimeoutError) as error:
            return SimulatedAnswer(error=str(error))
        return SimulatedAnswer(answer=answer, usage=used)

    def _key(self, told: ActorPrompt, plan: Plan) -> str:
        """Of all that decides the answer; what tools will find may change from run to run."""
        within_reach = [told.scene.hidden, plan.causal, plan.run] if plan.tools else []
        actor, most_steps = self.deps.models.describe("actor"), self.deps.settings.max_steps
        deps = [actor, most_steps, told.prompt, told.episode.query, within_reach]
        return hashlib.sha256(json.dumps(deps).encode()).hexdigest()


async def _kept(answer: str) -> SimulatedAnswer:
    return SimulatedAnswer(answer=answer, cached=True)


def still_valid(
    episodes: Iterable[Episode], episode_contexts: Mapping[str, EpisodeContext]
) -> dict[str, Episode]:
    """The episodes by id, without those of which the user no longer says what their scene holds."""
    return {
        each.id: each
        for each in episodes
        if each.id not in episode_contexts or each.ground_truth == episode_contexts[each.id].wanted
    }


def sources(episode_contexts: Mapping[str, Any]) -> set[str]:
    """The ids of all episodes that these contexts, as the state holds them, show or belong to."""
    return {
        *episode_contexts,
        *(each for scene in episode_contexts.values() for each in scene["recalled"]),
    }


def _context(
    memory: UserMemory, episode: Episode, hidden: frozenset[str], plan: Plan
) -> SimulatedContext:
    return SimulatedContext(
        user_id=memory.user_id,
        hidden=hidden,
        before=episode.created_at if plan.causal else None,
    )
