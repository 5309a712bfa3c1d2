"""A thread of the server as the conversation of a client that sends all of it again each time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from langchain_core.messages import AIMessage
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError

from personaagent.core.alignment_state import THREAD_UUID_VERSION
from personaagent.core.errors import Unknown
from personaagent.server.routes.openai_records import ChatMessage

GRAPH = "agent"
SYSTEM = ("system", "developer")
CLIENT_SYSTEM_MESSAGE = "system-of-the-client"
"""The id of the client's system messages in a thread, so that those of the next request replace them."""
BETWEEN = "\n\n"
NOT_YOURS = "There is no such thread of yours."

Message = dict[str, Any]


async def joining(
    api: LangGraphClient, thread: str, messages: Sequence[ChatMessage]
) -> list[Message]:
    """What of the client's messages joins the thread, and what leaves it; see ``difference``.

    The thread is made if there is none.

    Raises:
        Unknown: it is somebody else's, or kept for alignment.
    """
    if UUID(thread).version == THREAD_UUID_VERSION:
        raise Unknown(NOT_YOURS)
    try:
        await api.threads.create(thread_id=thread, if_exists="do_nothing", graph_id=GRAPH)
        state: Any = await api.threads.get_state(thread)
    except NotFoundError as error:
        raise Unknown(NOT_YOURS) from error
    return difference((state["values"] or {}).get("messages") or [], messages)


def difference(held: Sequence[Message], messages: Sequence[ChatMessage]) -> list[Message]:
    """What makes a thread that holds ``held`` the conversation ``messages``.

    What follows the last answer joins. If the client's earlier questions are not the thread's last
    ones, but its first, then the user has edited a message, or wants another answer: what the thread
    holds beyond them leaves it, and stays in its checkpoints. Of a client that sends less than all, or
    something else, nothing is concluded.
    """
    if not held:
        return sent(messages)
    system = [each for each in messages if each.role in SYSTEM]
    others = [each for each in messages if each.role not in SYSTEM]
    ends = [place for place, each in enumerate(others, 1) if each.role == "assistant"]
    end = max(ends, default=0)
    earlier, new = others[:end], others[end:]
    asked = [_text(each.content) for each in earlier if each.role == "user"]
    return [*_leaving(held, asked), *sent([*system, *new])]


def sent(messages: Iterable[ChatMessage]) -> list[Message]:
    """The messages for the graph; the client's system messages are one, at the beginning."""
    every = [*messages]
    system = [_text(each.content) for each in every if each.role in SYSTEM]
    first = {"role": "system", "id": CLIENT_SYSTEM_MESSAGE, "content": BETWEEN.join(system)}
    others = [
        {**each.model_dump(exclude_none=True), "content": each.content or ""}
        for each in every
        if each.role not in SYSTEM
    ]
    return [first, *others] if system else others


def _leaving(held: Sequence[Message], asked: Sequence[str]) -> list[Message]:
    """What the thread holds beyond the questions ``asked``, if it began with them, as removals."""
    places = [place for place, each in enumerate(held) if each["type"] == "human"]
    questions = [_text(held[place]["content"]) for place in places]
    count = len(asked)
    if questions[len(questions) - count :] == asked or questions[:count] != asked:
        return []
    return [_removal(each) for each in held[places[count] :] if each["type"] != "system"]


def _removal(message: Mapping[str, Any]) -> Message:
    return {"role": "remove", "content": "", "id": message["id"]}


def _text(content: Any) -> str:
    return AIMessage(cast("Any", content) or "").text.strip()
