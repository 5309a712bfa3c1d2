"""A bare LangGraph agent to compare with: the same model and tools, but no memory."""

from typing import Any

from langchain_core.messages import SystemMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from personaagent.server.graphs import dependencies

deps = dependencies.get()


async def answer(state: MessagesState) -> dict[str, Any]:
    """Answer, or ask for a tool."""
    actor = (await deps.models.chat("actor")).bind_tools(deps.tools)
    system = SystemMessage("You are a helpful assistant.")
    return {"messages": [await actor.ainvoke([system, *state["messages"]])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_node("tools", ToolNode(deps.tools))
builder.add_edge(START, "answer")
builder.add_conditional_edges("answer", tools_condition)
builder.add_edge("tools", "answer")
graph = builder.compile()
