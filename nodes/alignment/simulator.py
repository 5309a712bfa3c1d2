"""Answering the queries of episodes again, as the agent would under another persona."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from langchain_core.messages import HumanMessage
from langgraph.errors import NodeTimeoutError
from langgraph.graph.state import CompiledStateGraph

from personaagent.core.alignment import SimulatedAnswer
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.core.audience import audience_message
from personaagent.core.decision import Decision
from personaagent.core.errors import ServiceError
from personaagent.core.records import Usage
from personaagent.core.states import AgentContext
from personaagent.memory.user import UserMemory
from personaagent.models.metering import metered
from personaagent.nodes.alignment.actor_prompt import ActorPrompt
from personaagent.nodes.alignment.answer_cache import AnswerCache
from personaagent.nodes.alignment.answer_writer import AnswerWriter
from personaagent.nodes.alignment.episode_context import simulated_context
from personaagent.nodes.alignment.pace import Pace
from personaagent.nodes.alignment.reweigh import reweighed
from personaagent.nodes.alignment.run_budget import RUNS_REMEMBERED, RunBudget, RunBudgets
from personaagent.nodes.dependencies import Dependencies

AnswerGraph = CompiledStateGraph[Any, AgentContext, Any, Any]
"""The agent from its system prompt to its answer: ``react <-> tools``."""

BEGIN_AT_ONCE = 4
"""Fewer would cost a turn of the event loop for each step of each simulation."""


@dataclass
class Simulator:
    """Simulates answers within the budget of a run, each answer paid for only once.

    ``answer_graphs`` holds the agent without tools (False) and with them (True), ``open_graphs`` the
    same for questions that are known to be open.
    """

    deps: Dependencies
    answer_graphs: Mapping[bool, AnswerGraph]
    open_graphs: Mapping[bool, AnswerGraph]
    budgets: RunBudgets = field(init=False)
    _pace: Pace = field(default_factory=lambda: Pace(BEGIN_AT_ONCE), init=False)
    _writers: LRUCache[str, AnswerWriter] = field(
        default_factory=lambda: LRUCache(RUNS_REMEMBERED), init=False
    )

    def __post_init__(self) -> None:
        self.budgets = RunBudgets(self.deps.settings)

    async def simulate(
        self,
        prompts: Sequence[ActorPrompt],
        plan: AlignmentPlan,
        memory: UserMemory,
        budget: RunBudget,
    ) -> list[SimulatedAnswer]:
        """The agent's answers to the prompts, side by side.

        If a model fails, or the budget is spent, only that answer is missing.

        Raises:
            ConfigurationError: every answer would fail like this one.
        """
        writer = self._writers.setdefault(plan.run, AnswerWriter(memory.simulations))
        cache = AnswerCache(self.deps, plan, memory.simulations, writer)

        async def answer(prompt: ActorPrompt, cached: SimulatedAnswer | None) -> SimulatedAnswer:
            answered = cached or await self._answer(prompt, plan, memory, budget, cache)
            return reweighed(answered, prompt.weights)

        cached_answers = await cache.get(prompts)
        return await asyncio.gather(*map(answer, prompts, cached_answers))

    async def _answer(
        self,
        prompt: ActorPrompt,
        plan: AlignmentPlan,
        memory: UserMemory,
        budget: RunBudget,
        cache: AnswerCache,
    ) -> SimulatedAnswer:
        try:
            async with budget.answer_slots:
                with metered(budget):
                    async with self.deps.model_slots, self._pace.begin():
                        answer = await self._invoke(prompt, plan, memory)
                # An answer is stored before the run begins another, so that a kill costs no more
                # answers than are under way; other runs need not wait for the store.
                await cache.put(prompt, answer)
        except (ServiceError, NodeTimeoutError) as error:
            return SimulatedAnswer(error=audience_message(error))
        return answer

    def _graph(self, prompt: ActorPrompt, plan: AlignmentPlan) -> AnswerGraph:
        if prompt.plain:
            return self.open_graphs[False]
        return (self.open_graphs if prompt.context.open else self.answer_graphs)[plan.tools]

    async def _invoke(
        self, prompt: ActorPrompt, plan: AlignmentPlan, memory: UserMemory
    ) -> SimulatedAnswer:
        state = {
            "messages": [HumanMessage(prompt.episode.query)],
            "system_prompt": prompt.system_prompt,
            "steps": 0,
            "usage": Usage().stored(),
        }
        context = simulated_context(prompt.episode, prompt.context.hidden, plan, memory.user_id)
        # no graph around it may have a store
        on_store = self._graph(prompt, plan).copy({"store": memory.store.base_store})
        end_state = await on_store.ainvoke(state, context=context)
        usage = Usage.model_validate(end_state["usage"])
        decision = end_state.get("decision")
        return SimulatedAnswer(
            answer=end_state["messages"][-1].text,
            decision=decision and Decision.model_validate(decision),
            usage=usage,
        )
