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
AnswerGraph = StateGraph[AgentState, AgentContext, AgentState, AgentState]
NAME = "agent"
TAGS = ["personaagent", NAME]
"""Tags of the traces of turns."""


def build(deps: Dependencies) -> AgentGraph:
    """The agent's graph, to be compiled with a store (and a checkpointer)."""
    graph = StateGraph(AgentState, context_schema=AgentContext, input_schema=AgentInput)
    timeout = deps.settings.patience
    graph.add_node("recall", partial(recall, deps=deps), retry_policy=_retry(), timeout=timeout)
    graph.add_node("inject_persona", partial(inject_persona, deps=deps))
    _add_react(graph, deps, next_node="remember")
    graph.add_node("remember", partial(remember, deps=deps), timeout=timeout)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "inject_persona")
    graph.add_edge("inject_persona", "react")
    graph.add_edge("remember", END)
    return graph


def build_answer_graph(deps: Dependencies) -> AnswerGraph:
    """The agent from its system prompt to its answer, ``react <-> tools``; alignment simulates it."""
    graph = StateGraph(AgentState, context_schema=AgentContext)
    _add_react(graph, deps, next_node=END)
    graph.add_edge(START, "react")
    return graph


def recursion_limit(settings: Settings) -> int:
    """More steps of the graph than a turn can take, which ``max_steps`` limits."""
    return 2 * settings.max_steps + 8


def _add_react(graph: AgentGraph | AnswerGraph, deps: Dependencies, *, next_node: str) -> None:
    """Add ``react <-> tools``, and the edge to ``next_node``; without tools only ``react``."""
    timeout = deps.settings.patience
    graph.add_node("react", partial(react, deps=deps), retry_policy=_retry(), timeout=timeout)
    if not deps.tools:
        graph.add_edge("react", next_node)
        return
    graph.add_node("tools", tools(deps), timeout=timeout)
    graph.add_conditional_edges("react", _tools_or(next_node), ["tools", next_node])
    graph.add_edge("tools", "react")


def _tools_or(next_node: str) -> Callable[[AgentState], str]:
    def route(state: AgentState) -> str:
        return "tools" if tools_condition(state) == "tools" else next_node  # type: ignore[arg-type]

    return route


def _retry() -> RetryPolicy:
    return RetryPolicy(max_attempts=2, retry_on=is_transient)
