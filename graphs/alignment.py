"""Alignment: ``sample -> simulate -> compare -> critique -> update -> gate -> sample | publish``."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

from personaagent.core.alignment_state import AlignmentContext, AlignmentInput, AlignmentState
from personaagent.graphs.agent import answering
from personaagent.models.invoke import is_transient
from personaagent.nodes.alignment.compare import compare
from personaagent.nodes.alignment.critique import critique
from personaagent.nodes.alignment.gate import gate
from personaagent.nodes.alignment.publish import publish
from personaagent.nodes.alignment.sample import sample
from personaagent.nodes.alignment.simulate import branches, simulate
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.update import update
from personaagent.nodes.dependencies import Dependencies

AlignmentGraph = StateGraph[AlignmentState, AlignmentContext, AlignmentInput, AlignmentState]
NAME = "alignment"
TAGS = ["personaagent", NAME]
"""By which the traces of alignments can be told from others."""
NODES_A_ROUND = 6
MOST_ROUNDS = 50
RECURSION_LIMIT = NODES_A_ROUND * MOST_ROUNDS + 4
"""More steps of the graph than a run can take."""
WITHOUT_CHECKPOINTS = {"__pregel_durability": "async"}
"""LangGraph hands a run's durability down, and fails if a graph without checkpoints gets ``sync``."""


def build(deps: Dependencies) -> AlignmentGraph:
    """The graph of alignment over these parts, to be compiled with a store and a checkpointer."""
    once_more = RetryPolicy(max_attempts=2, retry_on=is_transient)
    simulator = simulator_of(deps)
    graph = StateGraph(AlignmentState, context_schema=AlignmentContext, input_schema=AlignmentInput)
    graph.add_node("sample", partial(sample, simulator=simulator))
    graph.add_node("simulate", partial(simulate, simulator=simulator))
    graph.add_node("compare", partial(compare, simulator=simulator))
    graph.add_node("critique", partial(critique, simulator=simulator), retry_policy=once_more)
    graph.add_node("update", partial(update, simulator=simulator), retry_policy=once_more)
    graph.add_node("gate", partial(gate, simulator=simulator))
    graph.add_node("publish", partial(publish, simulator=simulator))
    graph.add_edge(START, "sample")
    graph.add_conditional_edges("sample", _episodes_or_end, ["simulate", "publish", END])
    graph.add_edge("simulate", "compare")
    for node, then in (
        ("compare", "critique"),
        ("critique", "update"),
        ("update", "gate"),
        ("gate", "sample"),
    ):
        graph.add_conditional_edges(node, _or_end(then), [then, "publish"])
    graph.add_edge("publish", END)
    return graph


def simulator_of(deps: Dependencies) -> Simulator:
    """What simulates answers over these parts: the agent's own path, without and with tools."""
    return Simulator(
        deps,
        answer_graphs={
            tools: answering(deps if tools else replace(deps, tools=[]))
            .compile(checkpointer=False, name="answer again")
            .with_config(configurable=WITHOUT_CHECKPOINTS)
            for tools in (False, True)
        },
    )


def _episodes_or_end(state: AlignmentState) -> list[Send] | str:
    if state["result"] or not state["plan"]:
        return END  # nothing was begun
    if state["stopped_by"]:
        return "publish"
    return [Send("simulate", branch) for branch in branches(state)]


def _or_end(then: str) -> Callable[[AlignmentState], str]:
    def goes_on(state: AlignmentState) -> str:
        return "publish" if state["stopped_by"] else then

    return goes_on
