"""``history`` and ``fused``: closed questions decided as the agent decides them, without what it adds.

Both show what a persona stands on: ``history`` what the user's labels say without any model, ``fused``
what one answer of the model adds to them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, message_to_dict

from personaagent.core.records import Usage
from personaagent.core.states import AgentContext, AgentState
from personaagent.eval.samples import NO_ANSWER, Query, Sample, SolverOutput
from personaagent.eval.solvers.actor_call import fit_memories
from personaagent.eval.solvers.agent_turn import AgentTurns
from personaagent.eval.solvers.environment import EvalEnvironment, SampleMemory
from personaagent.nodes.dependencies import Dependencies

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph


@dataclass(frozen=True)
class HistorySolver:
    """The votes of the user's labels, their prior, and the names of the answers; no model is called."""

    name: str = "history"
    uses_model: bool = False
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_HistoryAnswerer"]:
        """Remember the history."""
        async with environment.remember_sample(sample) as sample_memory:
            graph = _without_model(sample_memory.deps).compile(store=sample_memory.store)
            yield _HistoryAnswerer(AgentTurns.of(graph, sample_memory, sample))


@dataclass(frozen=True)
class _HistoryAnswerer:
    turns: AgentTurns
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        """The decision, or no answer to a question that is open."""
        output = await self.turns.ask(query, {"system_prompt": "", "usage": Usage().stored()})
        if output.decision is None:
            return SolverOutput(text=NO_ANSWER)
        decision = output.decision.model_copy(update={"applied": True})
        return SolverOutput(text=decision.answer, decision=decision)


@dataclass(frozen=True)
class FusedSolver:
    """The prompt of ``rag``, and the model's answer weighed with the user's labels: one call."""

    name: str = "fused"
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_FusedAnswerer"]:
        """Remember the history."""
        from personaagent.graphs import agent

        async with environment.remember_sample(sample) as sample_memory:
            deps = replace(sample_memory.deps, tools=[])
            graph = agent.build_answer_graph(deps).compile(store=sample_memory.store)
            yield _FusedAnswerer(AgentTurns.of(graph, sample_memory, sample), sample_memory)


@dataclass(frozen=True)
class _FusedAnswerer:
    turns: AgentTurns
    sample_memory: SampleMemory
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        settings = self.sample_memory.deps.settings
        recalled = await self.sample_memory.recall(query.text, settings.top_k)
        system, shown = fit_memories("plain_rag", recalled, settings)
        state = {"system_prompt": system, "steps": 0, "usage": Usage().stored()}
        output = await self.turns.ask(query, state)
        return output.model_copy(update={"recalled": [episode.id for episode in shown]})


def _without_model(deps: Dependencies) -> "StateGraph[Any, AgentContext, Any, Any]":
    """The agent's decision with a model that says nothing: ``question -> silence -> decide``."""
    from langgraph.graph import END, START, StateGraph

    from personaagent.nodes.agent.decide import decide
    from personaagent.nodes.agent.question import question

    graph = StateGraph(AgentState, context_schema=AgentContext)
    graph.add_node("question", partial(question, deps=deps))
    graph.add_node("silence", _silence)
    graph.add_node("decide", partial(decide, deps=deps))
    graph.add_edge(START, "question")
    graph.add_edge("question", "silence")
    graph.add_edge("silence", "decide")
    graph.add_edge("decide", END)
    return graph


def _silence(state: AgentState) -> dict[str, Any]:
    return {"reply": message_to_dict(AIMessage(NO_ANSWER))}
