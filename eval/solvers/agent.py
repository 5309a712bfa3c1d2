"""``persona`` and its kin: the agent that users run, whole, or without one of its parts."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import HumanMessage, SystemMessage

from personaagent.core.alignment_state import AlignmentContext
from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Persona, Usage
from personaagent.core.settings import Mode
from personaagent.core.states import AgentContext
from personaagent.eval.samples import Answered, Query, Sample, TrainingResult
from personaagent.eval.solvers.ask import as_told
from personaagent.eval.solvers.environment import EvalEnvironment, Remembered
from personaagent.eval.solvers.summarise import summarise
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.render import render

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    Graph = CompiledStateGraph[Any, AgentContext, Any, Any]

TOOLS = ("search_wikipedia", "recall_episodes")


@dataclass(frozen=True)
class Agent:
    """The agent's own graph, after a run of alignment in that ``mode`` (None: the persona of the
    start).

    Args:
        tools: the tools that it has.
        recall: whether it recalls before it answers.
        profile: whether it knows facts and summary of the user.
        persona: whether it has a persona; without one it has no rules at all.
    """

    name: str
    mode: Mode | None = None
    tools: Sequence[str] = TOOLS
    recall: bool = True
    profile: bool = True
    persona: bool = True
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """Take in the history, summarise it if that is due, and align on it."""
        from personaagent.graphs import agent

        async with lab.remembered(case) as remembered:
            mine = replace(remembered, deps=self._of(remembered.deps))
            learned = await self._learn(mine, lab.seed)
            graph = agent.build(mine.deps).compile(store=mine.store)
            yield _Answerer(graph, mine, case.task, learned)

    def _of(self, deps: Dependencies) -> Dependencies:
        """The parts that this one has."""
        settings = deps.settings.model_copy(
            update=({} if self.recall else {"top_k": 0})
            | ({} if self.profile else {"show_facts": False, "show_summary": False})
        )
        return replace(
            deps, settings=settings, tools=[t for t in deps.tools if t.name in self.tools]
        )

    async def _learn(self, mine: Remembered, seed: int) -> TrainingResult | None:
        """Summary, persona and alignment, each where it is wanted; None where none is."""
        began, usage = time.monotonic(), Usage()
        settings, memory = mine.deps.settings, mine.memory
        if not self.persona:
            await memory.personas.publish([], author="user", note="no persona", parent=1)
        if settings.show_summary and await memory.profile.summary_due(settings.summary_every):
            usage += (await summarise(mine)).usage
        before = await memory.personas.current()
        result = None
        if self.mode is not None:
            result = await align(
                mine, AlignmentContext(user_id=memory.user_id, mode=self.mode, seed=seed)
            )
            usage += Usage.model_validate({"by_role": result["usage"]["by_role"]})
        if result is None and not usage.by_role:
            return None
        return TrainingResult(
            usage=usage,
            seconds=time.monotonic() - began,
            alignment=result,
            before=_rules(before),
            after=_rules(await memory.personas.current()),
        )


@dataclass(frozen=True)
class React:
    """The agent's ReAct loop with its tools (Yao et al. 2022, arXiv 2210.03629) and nothing
    besides: no persona, no profile, no recall before it."""

    name: str = "react"
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """Take in the history, for the tool that recalls."""
        from personaagent.graphs import agent

        async with lab.remembered(case) as remembered:
            graph = agent.build_answer_graph(remembered.deps).compile(store=remembered.store)
            begin = {"system_prompt": render("eval_react"), "steps": 0, "usage": Usage().stored()}
            yield _Answerer(graph, remembered, case.task, None, begin)


@dataclass(frozen=True)
class _Answerer:
    graph: "Graph"
    remembered: Remembered
    task: str
    learned: TrainingResult | None
    begin: dict[str, Any] = field(default_factory=dict)

    async def answer(self, question: Query) -> Answered:
        """An incognito turn.

        Raises:
            IndexUnavailable: the turn went on without its recall.
        """
        from personaagent.graphs.agent import recursion_limit
        from personaagent.nodes.run_errors import run_errors

        context = AgentContext(
            user_id=self.remembered.memory.user_id, task=self.task, incognito=True
        )
        with run_errors():
            done = await self.graph.ainvoke(
                {"messages": [HumanMessage(question.query)]} | self.begin,
                {"recursion_limit": recursion_limit(self.remembered.deps.settings)},
                context=context,
            )
        if warnings := done.get("warnings"):
            raise IndexUnavailable(" ".join(warnings))
        *told, answer = done["messages"]
        return Answered(
            text=answer.text,
            usage=Usage.model_validate(done["usage"]),
            recalled=[each["id"] for each in done.get("recalled", [])],
            told=as_told([SystemMessage(done["system_prompt"]), *told]),
            persona_version=done.get("persona", {}).get("version"),
        )


async def align(remembered: Remembered, context: AlignmentContext) -> dict[str, Any]:
    """A run of alignment over these parts, by its own graph: its result as it is stored.

    Raises:
        ServiceError, ConfigurationError, DataError: it failed; the persona is as it was.
    """
    from personaagent.graphs import alignment
    from personaagent.nodes.run_errors import run_errors

    graph = alignment.build(remembered.deps).compile(store=remembered.store)
    with run_errors():
        done = await graph.ainvoke(
            {"trigger": "evaluation"},
            {"recursion_limit": alignment.RECURSION_LIMIT},
            context=context,
        )
    return dict(done["result"])


def _rules(persona: Persona) -> str:
    """A line a rule."""
    return "\n".join(f"- {' '.join(rule.text.split())}" for rule in persona.rules)
