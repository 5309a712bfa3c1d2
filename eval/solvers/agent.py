"""The agent that users run as a solver (``persona`` and its variants), and its bare ReAct loop."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.records import Persona, Usage
from personaagent.core.settings import Mode
from personaagent.eval.samples import Query, Sample, SolverOutput, TrainingResult
from personaagent.eval.solvers.agent_turn import AgentTurns
from personaagent.eval.solvers.environment import EvalEnvironment, SampleMemory
from personaagent.eval.solvers.user_summary import summarise_user
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.render import render

TOOLS = ("search_wikipedia", "recall_episodes")


@dataclass(frozen=True)
class AgentSolver:
    """The agent's own graph, complete or without one of its parts.

    Args:
        mode: how to align on the history first; None: not at all, the initial persona answers.
        tools: the names of the agent's tools.
        recall: whether the agent recalls episodes before it answers.
        profile: whether its prompt has facts and a summary of the user.
        persona: whether it has a persona; without one its prompt has no rules.
    """

    name: str
    mode: Mode | None = None
    tools: Sequence[str] = TOOLS
    recall: bool = True
    profile: bool = True
    persona: bool = True
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Remember the history, write the profile summary if it is due, and align."""
        from personaagent.graphs import agent

        async with environment.remember_sample(sample) as sample_memory:
            own = replace(sample_memory, deps=self._own_deps(sample_memory.deps))
            training_result = await self._learn(own, environment.seed)
            graph = agent.build(own.deps).compile(store=own.store)
            yield _Answerer(AgentTurns.of(graph, own, sample), training_result)

    def _own_deps(self, deps: Dependencies) -> Dependencies:
        """The settings and tools of this variant."""
        settings = deps.settings.model_copy(
            update=({} if self.recall else {"top_k": 0})
            | ({} if self.profile else {"show_facts": False, "show_summary": False})
        )
        tools = [tool for tool in deps.tools if tool.name in self.tools]
        return replace(deps, settings=settings, tools=tools)

    async def _learn(self, sample_memory: SampleMemory, seed: int) -> TrainingResult | None:
        """Write the summary and align, as far as this variant does; None if it does neither."""
        started, usage = time.monotonic(), Usage()
        settings, memory = sample_memory.deps.settings, sample_memory.memory
        if not self.persona:
            await memory.personas.publish([], author="user", note="no persona", parent=1)
        if settings.show_summary and await memory.profile.summary_due(settings.summary_every):
            usage += (await summarise_user(sample_memory)).usage
        before = await memory.personas.current()
        alignment = None
        if self.mode is not None:
            context = AlignmentContext(user_id=memory.user_id, mode=self.mode, seed=seed)
            alignment = await align(sample_memory, context)
            usage += Usage.model_validate({"by_role": alignment["usage"]["by_role"]})
        if alignment is None and not usage.by_role:
            return None
        return TrainingResult(
            usage=usage,
            seconds=time.monotonic() - started,
            alignment=alignment,
            before=_rules_text(before),
            after=_rules_text(await memory.personas.current()),
        )


@dataclass(frozen=True)
class ReactSolver:
    """The agent's ReAct loop with its tools (Yao et al. 2022, arXiv 2210.03629) and nothing else: no
    persona, no profile, no recall before it answers."""

    name: str = "react"
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Remember the history, so that the recall tool finds it."""
        from personaagent.graphs import agent

        async with environment.remember_sample(sample) as sample_memory:
            loop = agent.build_answer_graph(sample_memory.deps, decides=False)
            graph = loop.compile(store=sample_memory.store)
            initial_state = {
                "system_prompt": render("eval_react"),
                "steps": 0,
                "usage": Usage().stored(),
            }
            turns = AgentTurns.of(graph, sample_memory, sample)
            yield _Answerer(turns, initial_state=initial_state)


@dataclass(frozen=True)
class _Answerer:
    turns: AgentTurns
    training_result: TrainingResult | None = None
    initial_state: dict[str, Any] = field(default_factory=dict)

    async def answer(self, query: Query) -> SolverOutput:
        """Answer in an incognito turn.

        Raises:
            IndexUnavailable: as ``AgentTurns.ask`` raises it.
        """
        return await self.turns.ask(query, self.initial_state)


async def align(sample_memory: SampleMemory, context: AlignmentContext) -> dict[str, Any]:
    """Align the persona with the alignment graph; returns the result as it is stored.

    Raises:
        ServiceError, ConfigurationError, DataError: the alignment failed; the persona is unchanged.
    """
    from personaagent.graphs import alignment
    from personaagent.nodes.run_errors import run_errors

    graph = alignment.build(sample_memory.deps).compile(store=sample_memory.store)
    with run_errors():
        state = await graph.ainvoke(
            {"trigger": "evaluation"},
            {"recursion_limit": alignment.RECURSION_LIMIT},
            context=context,
        )
    return dict(state["result"])


def _rules_text(persona: Persona) -> str:
    """The rules, one a line."""
    return "\n".join(f"- {' '.join(rule.text.split())}" for rule in persona.rules)
