"""One incognito turn of a graph of the agent, as the answer of a solver."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from langchain_core.messages import HumanMessage, SystemMessage

from personaagent.core.decision import Decision
from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Usage
from personaagent.core.states import AgentContext
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.solvers.actor_call import to_role_content
from personaagent.eval.solvers.environment import SampleMemory
from personaagent.models.ending import WARNINGS

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    Graph = CompiledStateGraph[Any, AgentContext, Any, Any]


@dataclass(frozen=True)
class AgentTurns:
    """Asks a graph of the agent the queries of one sample; a turn leaves nothing in memory.

    The graph is told what a real caller knows: whose memory it is, and the task's label. All queries
    are asked as the history ends, so that no run depends on the day on which it is made.
    """

    graph: "Graph"
    sample_memory: SampleMemory
    task: str
    asked_at: datetime | None

    @classmethod
    def of(cls, graph: "Graph", sample_memory: SampleMemory, sample: Sample) -> Self:
        """The turns of a sample whose history ``sample_memory`` holds."""
        ended = max((each.created_at for each in sample.history), default=None)
        return cls(graph, sample_memory, sample.task, ended)

    async def ask(self, query: Query, state: dict[str, Any] | None = None) -> SolverOutput:
        """The answer to the query; ``state`` is what the graph begins with besides it.

        Raises:
            IndexUnavailable: the agent answered without recall; such an answer does not count. One
                that is cut off does.
        """
        from personaagent.graphs.agent import recursion_limit
        from personaagent.nodes.run_errors import run_errors

        context = AgentContext(
            user_id=self.sample_memory.memory.user_id,
            task=self.task,
            incognito=True,
            at=self.asked_at,
        )
        with run_errors():
            final = await self.graph.ainvoke(
                {"messages": [HumanMessage(query.text)]} | (state or {}),
                {"recursion_limit": recursion_limit(self.sample_memory.deps.settings)},
                context=context,
            )
        without_recall = {*final.get("warnings", [])}.difference(WARNINGS.values())
        if without_recall:
            raise IndexUnavailable(" ".join(sorted(without_recall)))
        return _output(final)


def _output(state: dict[str, Any]) -> SolverOutput:
    """What the final state of a turn says."""
    *messages, answer = state["messages"]
    decision = state.get("decision")
    return SolverOutput(
        text=answer.text,
        usage=Usage.model_validate(state["usage"]),
        recalled=[episode["id"] for episode in state.get("recalled", [])],
        messages=to_role_content([SystemMessage(state["system_prompt"]), *messages]),
        persona_version=state.get("persona", {}).get("version"),
        decision=None if decision is None else Decision.model_validate(decision),
    )
