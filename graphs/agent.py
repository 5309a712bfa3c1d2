"""The agent: ``recall -> inject_persona -> react <-> tools -> remember``."""

from collections.abc import Callable
from functools import partial

from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import tools_condition
from langgraph.types import RetryPolicy

from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentInput, AgentState
from personaagent.models.invoke import is_transient
from personaagent.nodes.agent.inject_persona import inject_persona
from personaagent.nodes.agent.react import react
from personaagent.nodes.agent.recall import recall
from personaagent.nodes.agent.remember import remember
from personaagent.nodes.agent.tools import tools
from personaagent.nodes.dependencies import Dependencies

AgentGraph = StateGraph[AgentState, AgentContext, AgentInput, AgentState]
Answering = StateGraph[AgentState, AgentContext, AgentState, AgentState]
NAME = "agent"
TAGS = ["personaagent", NAME]
"""By which the traces of turns can be told from others."""


def build(deps: Dependencies) -> AgentGraph:
    """The agent's graph over these parts, to be compiled with a store (and a checkpointer)."""
    once_more = RetryPolicy(max_attempts=2, retry_on=is_transient)
    patience = deps.settings.patience
    graph = StateGraph(AgentState, context_schema=AgentContext, input_schema=AgentInput)
    graph.add_node("recall", partial(recall, deps=deps), retry_policy=once_more, timeout=patience)
    graph.add_node("inject_persona", partial(inject_persona, deps=deps))
    _add_answering(graph, deps, then="remember")
    graph.add_node("remember", partial(remember, deps=deps), timeout=patience)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "inject_persona")
    graph.add_edge("inject_persona", "react")
    graph.add_edge("remember", END)
    return graph


def answering(deps: Dependencies) -> Answering:
    """The agent from its system prompt to its answer, ``react <-> tools``: what alignment simulates."""
    graph = StateGraph(AgentState, context_schema=AgentContext)
    _add_answering(graph, deps, then=END)
    graph.add_edge(START, "react")
    return graph


def _add_answering(graph: AgentGraph | Answering, deps: Dependencies, *, then: str) -> None:
    once_more = RetryPolicy(max_attempts=2, retry_on=is_transient)
    patience = deps.settings.patience
    graph.add_node("react", partial(react, deps=deps), retry_policy=once_more, timeout=patience)
    if not deps.tools:
        graph.add_edge("react", then)
        return
    graph.add_node("tools", tools(deps), timeout=patience)
    graph.add_conditional_edges("react", _tools_or(then), ["tools", then])
    graph.add_edge("tools", "react")


def _tools_or(then: str) -> Callable[[AgentState], str]:
    def goes_on(state: AgentState) -> str:
        return "tools" if tools_condition(state) == "tools" else then  # type: ignore[arg-type]

    return goes_on


def recursion_limit(settings: Settings) -> int:
    """More steps of the graph than a turn can take, which is held by ``max_steps``."""
    return 2 * settings.max_steps + 8
