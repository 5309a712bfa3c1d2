"""The agent: ``recall -> question -> inject_persona -> react <-> tools -> decide -> remember``."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt.tool_node import tools_condition
from langgraph.types import RetryPolicy

from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentInput, AgentState
from personaagent.graphs.node_time import within
from personaagent.models.invoke import is_transient
from personaagent.nodes.agent.decide import decide
from personaagent.nodes.agent.inject_persona import inject_persona
from personaagent.nodes.agent.question import question
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
    recalled = partial(recall, deps=deps)
    recalled_in_time = within(deps.settings.patience, "recall", recalled)
    graph.add_node("recall", recalled_in_time, retry_policy=_retry())
    graph.add_node("question", _in_time("question", question, deps))
    graph.add_node("inject_persona", partial(inject_persona, deps=deps))
    _add_react(graph, deps)
    graph.add_node("remember", _in_time("remember", remember, deps))
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "question")
    graph.add_edge("question", "inject_persona")
    graph.add_edge("inject_persona", "react")
    graph.add_edge("decide", "remember")
    graph.add_edge("remember", END)
    return graph


def build_answer_graph(deps: Dependencies, *, decides: bool = True) -> AnswerGraph:
    """The agent from its system prompt to its answer; alignment simulates it.

    Without ``decides`` it takes no question for a closed one.
    """
    graph = StateGraph(AgentState, context_schema=AgentContext)
    _add_react(graph, deps)
    if decides:
        graph.add_node("question", _in_time("question", question, deps))
        graph.add_edge(START, "question")
        graph.add_edge("question", "react")
    else:
        graph.add_edge(START, "react")
    graph.add_edge("decide", END)
    return graph


def recursion_limit(settings: Settings) -> int:
    """More steps of the graph than a turn can take, which ``max_steps`` limits."""
    return 2 * settings.max_steps + 8


def _add_react(graph: AgentGraph | AnswerGraph, deps: Dependencies) -> None:
    """Add ``react <-> tools``, without tools only ``react``, and ``decide`` after it."""
    graph.add_node("react", _in_time("react", react, deps), retry_policy=_retry())
    if deps.tools:
        graph.add_node("tools", tools(deps), timeout=deps.settings.patience)
        graph.add_conditional_edges("react", _route, ["tools", "decide"])
        graph.add_edge("tools", "react")
    else:
        graph.add_edge("react", "decide")
    graph.add_node("decide", _in_time("decide", decide, deps))


def _in_time(name: str, node: Callable[..., Awaitable[Any]], deps: Dependencies) -> Any:
    """The node with what it works with, and with the time that a step may take."""
    return within(
        deps.settings.patience, name, lambda state, runtime, _: node(state, runtime, deps=deps)
    )


def _route(state: AgentState) -> str:
    return "tools" if tools_condition(state) == "tools" else "decide"  # type: ignore[arg-type]


def _retry() -> RetryPolicy:
    return RetryPolicy(max_attempts=2, retry_on=is_transient)
