"""The question where Oslo is, asked of a model over HTTP; what is thought, looked up and said of it."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool

from personaagent.models.chat import connect
from personaagent.models.invoke import invoke_model
from tests.support.endpoint import Endpoint, Reply, scripted_endpoint

ASKS: list[AnyMessage] = [HumanMessage("Where is Oslo?")]
THOUGHT, SAID = "Oslo? A city.", "In Norway."
OSLO = '{"query": "Oslo"}'
"""The arguments with which ``look_up`` is called."""


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return query


def look_up_call(arguments: Any, **more: Any) -> dict[str, Any]:
    """A call of ``look_up`` as a reply holds it, with these fields besides."""
    function = {"name": "look_up", "arguments": arguments}
    return {"type": "function", "function": function, **more}


async def ask(endpoint: Endpoint, *, stream: bool, **options: Any) -> AIMessage:
    """The message with which a model at this endpoint answers, asked once."""
    model = connect("m", endpoint.base_url, "k", timeout=2, retries=0)
    model.streaming = stream
    try:
        return await invoke_model(model, options.pop("messages", ASKS), role="actor", **options)
    finally:
        await model.root_async_client.close()


async def answer(reply: Reply, *, stream: bool, **options: Any) -> AIMessage:
    """The message that is made of this reply."""
    with scripted_endpoint(lambda body: reply) as endpoint:
        return await ask(endpoint, stream=stream, **options)
