"""A turn of the agent, as a run of the server's own API: what is asked, and what comes back."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast

from fastapi import HTTPException
from langchain_core.messages import AIMessage
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import UnprocessableEntityError
from langgraph_sdk.schema import StreamPart

from personaagent.core import errors
from personaagent.core.audience import kind_only
from personaagent.core.errors import PersonaAgentError, UsageError
from personaagent.core.records import RoleUsage, Usage
from personaagent.models.ending import Ending, ending_of
from personaagent.server.error_handlers import detail_of
from personaagent.server.errors import status_of
from personaagent.server.routes.openai_records import (
    INCOGNITO,
    ChatRequest,
    FinishReason,
    TokenUsage,
    TurnDetails,
)
from personaagent.server.routes.openai_thread import BETWEEN, GRAPH, joining, sent

ANSWERING = ("react", "decide")
"""The nodes whose messages are the answer."""
FINISHED: dict[Ending, FinishReason] = {"length": "length", "filtered": "content_filter"}


class Turn:
    """A turn under way: the pieces of its answer, and then what is known of it."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.episode_id = ""
        self.warnings: list[str] = []
        self._answer: AIMessage | None = None
        self._pieces: list[str] = []
        self._message_id: str | None = None

    async def pieces(self, events: AsyncGenerator[StreamPart, None]) -> AsyncGenerator[str, None]:
        """The answer as it is written, from the events of a run.

        Raises:
            HTTPException: the run failed.
        """
        async with aclosing(events):
            async for event in events:
                if piece := self._read(event):
                    self._pieces.append(piece)
                    yield piece
        if not self._pieces and self.text:  # a server that streams nothing of this model
            yield self.text

    @property
    def text(self) -> str:
        """The answer, once the turn has ended."""
        return "".join(self._pieces) if self._answer is None else self._answer.text

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended."""
        ending = "whole" if self._answer is None else ending_of(self._answer)
        return FINISHED.get(ending, "stop")

    @property
    def tokens(self) -> TokenUsage:
        """The tokens of all calls."""
        total = sum(self.usage.by_role.values(), RoleUsage())
        return TokenUsage(
            prompt_tokens=total.input_tokens,
            completion_tokens=total.output_tokens,
            total_tokens=total.input_tokens + total.output_tokens,
        )

    @property
    def details(self) -> TurnDetails:
        """What our routes need of it."""
        return TurnDetails(episode_id=self.episode_id, warnings=self.warnings)

    def _read(self, event: StreamPart) -> str:
        if event.event == "error":
            raise failure(event.data)
        if event.event == "messages":
            return self._piece(*cast("tuple[Any, Any]", event.data))
        if event.event == "updates":
            self._note(event.data)
        return ""

    def _piece(self, message: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
        """The text that a message adds; what a step before a tool said stands apart."""
        if metadata.get("langgraph_node") not in ANSWERING:
            return ""
        is_chunk = message["type"] == "AIMessageChunk"
        is_known = message.get("id") == self._message_id
        if not is_chunk and (message["type"] != "ai" or is_known):
            return ""
        text = AIMessage(message["content"] or "").text
        if not text:
            return ""
        self._message_id = message.get("id")
        return BETWEEN + text if self._pieces and not is_known else text

    def _note(self, updates: Mapping[str, Any]) -> None:
        for update in updates.values():
            if isinstance(update, Mapping):
                self._note_update(update)

    def _note_update(self, update: Mapping[str, Any]) -> None:
        if "usage" in update:
            self.usage = Usage.model_validate(update["usage"])
        self.episode_id = update.get("episode_id", self.episode_id)
        self.warnings = update.get("warnings", self.warnings)
        for message in update.get("messages") or []:
            if message.get("type") == "ai" and not message.get("tool_calls"):
                self._answer = AIMessage(
                    message["content"], response_metadata=message.get("response_metadata") or {}
                )


async def ask(
    api: LangGraphClient, chat: ChatRequest, thread: str | None
) -> AsyncGenerator[StreamPart, None]:
    """The events of a run that answers ``chat``; who closes them cancels it.

    Without a thread, the messages are the whole conversation.

    Raises:
        UsageError: the messages cannot be used.
        Unknown: as of ``joining``.
    """
    messages = chat.messages
    joined = sent(messages) if thread is None else await joining(api, thread, messages)
    runs: Any = api.runs  # of whose overloads one is for a thread, one for none
    events = runs.stream(
        thread,
        GRAPH,
        input={"messages": joined},
        context={"incognito": chat.model == INCOGNITO},
        stream_mode=["messages-tuple", "updates"],
        on_disconnect="cancel",
    )
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except UnprocessableEntityError as refused:
        raise UsageError(detail_of(refused.response)) from refused


def failure(event: Mapping[str, Any]) -> HTTPException:
    """The error that ended a run, by the name that the server tells of it."""
    name = str(event.get("error"))
    status, kind = 500, getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, PersonaAgentError):
        status = status_of(kind.__new__(kind))
    if status < 500:
        return HTTPException(status, str(event.get("message")))
    return HTTPException(status, kind_only("cannot do that now", name))
