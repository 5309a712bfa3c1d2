"""Alignment: ``sample -> simulate -> compare -> critique -> update -> gate -> sample | publish``."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

from personaagent.core.alignment_state import AlignmentContext, AlignmentInput, AlignmentState
from personaagent.graphs.agent import AnswerGraph as UncompiledAnswerGraph
from personaagent.graphs.agent import build_answer_graph
from personaagent.graphs.audience_errors import tell_errors
from personaagent.models.invoke import is_transient
from personaagent.nodes.alignment.compare import compare
from personaagent.nodes.alignment.critique import critique
from personaagent.nodes.alignment.gate import gate
from personaagent.nodes.alignment.publish import publish
from personaagent.nodes.alignment.sample import sample
from personaagent.nodes.alignment.simulate import branches, simulate
from personaagent.nodes.alignment.simulator import AnswerGraph, Simulator
from personaagent.nodes.alignment.update import update
from personaagent.nodes.dependencies import Dependencies

AlignmentGraph = StateGraph[AlignmentState, AlignmentContext, AlignmentInput, AlignmentState]
NAME = "alignment"
TAGS = ["personaagent", NAME]
"""Tags of the traces of alignments."""
NODES_A_ROUND = 6
MOST_ROUNDS = 50
RECURSION_LIMIT = NODES_A_ROUND * MOST_ROUNDS + 4
"""More steps of the graph than a run can take."""
WITHOUT_CHECKPOINTS = {"__pregel_durability": "async"}
"""LangGraph passes a run's durability to subgraphs; one without checkpoints fails with ``sync``."""


def build(deps: Dependencies) -> AlignmentGraph:
    """The graph of alignment, to be compiled with a store and a checkpointer."""
    retry = RetryPolicy(max_attempts=2, retry_on=is_transient)
    simulator = build_simulator(deps)
    graph = StateGraph(AlignmentState, context_schema=AlignmentContext, input_schema=AlignmentInput)
    graph.add_node("sample", partial(sample, simulator=simulator))
    graph.add_node("simulate", partial(simulate, simulator=simulator))
    graph.add_node("compare", partial(compare, simulator=simulator))
    graph.add_node("critique", partial(critique, simulator=simulator), retry_policy=retry)
    graph.add_node("update", partial(update, simulator=simulator), retry_policy=retry)
    graph.add_node("gate", partial(gate, simulator=simulator))
    graph.add_node("publish", partial(publish, simulator=simulator))
    graph.add_edge(START, "sample")
    graph.add_conditional_edges("sample", _to_branches, ["simulate", "publish", END])
    graph.add_edge("simulate", "compare")
    for node, next_node in pairwise(["compare", "critique", "update", "gate", "sample"]):
        graph.add_conditional_edges(node, _unless_stopped(next_node), [next_node, "publish"])
    graph.add_edge("publish", END)
    return graph


def build_simulator(deps: Dependencies) -> Simulator:
    """A simulator that answers as the agent does, without and with tools."""
    without_tools = replace(deps, tools=[])
    return Simulator(
        deps,
        answer_graphs={
            False: _compiled(build_answer_graph(without_tools)),
            True: _compiled(build_answer_graph(deps)),
        },
        open_graphs={
            False: _compiled(build_answer_graph(without_tools, decides=False)),
            True: _compiled(build_answer_graph(deps, decides=False)),
        },
    )


def _compiled(graph: UncompiledAnswerGraph) -> AnswerGraph:
    compiled = tell_errors(graph).compile(checkpointer=False, name="answer again")
    return compiled.with_config(configurable=WITHOUT_CHECKPOINTS)


def _to_branches(state: AlignmentState) -> list[Send] | str:
    if state["result"] or not state["plan"]:
        return END  # no run was begun
    if state["stopped_by"]:
        return "publish"
    return [Send("simulate", branch) for branch in branches(state)]


def _unless_stopped(next_node: str) -> Callable[[AlignmentState], str]:
    def route(state: AlignmentState) -> str:
        return "publish" if state["stopped_by"] else next_node

    return route
