"""A bare LangGraph agent to compare with: LangChain's own client of the same endpoint, the same tools, but
no memory."""

from typing import Any

from langchain_core.messages import SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from personaagent.server.graphs import dependencies

deps = dependencies.get()
model = ChatOpenAI(
    model=str(deps.settings.model),
    base_url=deps.settings.openai_base_url,
    api_key="none",  # type: ignore[arg-type]
    temperature=0,
)


async def answer(state: MessagesState) -> dict[str, Any]:
    """Answer, or ask for a tool."""
    actor = model.bind_tools(deps.tools)
    system = SystemMessage("You are a helpful assistant.")
    return {"messages": [await actor.ainvoke([system, *state["messages"]])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_node("tools", ToolNode(deps.tools))
builder.add_edge(START, "answer")
builder.add_conditional_edges("answer", tools_condition)
builder.add_edge("tools", "answer")
graph = builder.compile()
