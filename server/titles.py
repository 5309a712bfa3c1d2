"""Titles of threads, in their metadata: what a thread was first asked, until its owner says otherwise."""

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
from cachetools import LRUCache
from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import LangGraphError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personaagent.core.text import shorten, without_controls
from personaagent.core.thread_messages import EPISODE
from personaagent.server.internal_client import internal_client

log = logging.getLogger(__name__)

TITLE = "title"
"""Key in the metadata of a thread."""
TITLE_CHARS = 60
STARTS_RUN = re.compile(r"/threads/([0-9a-fA-F-]{36})/(?:runs|runs/stream|runs/wait|commands)/?")
"""The paths by which clients ask something on a thread."""
MOST_KNOWN = 10_000
"""Threads of which the process remembers that they have a title."""
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, NotImplementedError)


class ThreadTitles:
    """Gives each thread a title with its first question, whichever client asks it.

    The title is there when the response to the question begins. It is set once: a title that the
    owner has given stays, an empty one too. An incognito question gives none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._titled: LRUCache[str, bool] = LRUCache(MOST_KNOWN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        thread = _thread_asked(scope)
        if thread is None or thread in self._titled:
            await self._app(scope, receive, send)
            return
        body = bytearray()

        async def read() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                await self._give_title(Request(scope), thread, bytes(body))
            await send(message)

        await self._app(scope, read, answer)

    async def _give_title(self, request: Request, thread: str, body: bytes) -> None:
        """Nothing that fails here is worth the answer that waits for it."""
        question = _question_in(body)
        if not question:
            return
        try:
            async with internal_client(request) as api:
                await set_title(api, thread, question)
        except (LangGraphError, httpx.HTTPError) as error:
            log.warning("A thread has got no title now: %s", type(error).__name__)
        else:
            self._titled[thread] = True


async def set_title(api: LangGraphClient, thread: str, question: str) -> None:
    """Set the title of a thread that has none: its first remembered question, else this one."""
    record = await api.threads.get(thread)
    if TITLE not in (record["metadata"] or {}):
        state = await api.threads.get_state(thread)
        first = _first_remembered(state["values"]) or question
        await api.threads.update(thread, metadata={TITLE: title_of(first)})


def title_of(question: str) -> str:
    """The question in one line of at most 60 characters."""
    return shorten(" ".join(without_controls(question).split()), TITLE_CHARS)


def _thread_asked(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path = STARTS_RUN.fullmatch(scope["path"])
    return path[1] if path else None


def _question_in(body: bytes) -> str:
    """The first question in the body of a request; empty if there is none to keep."""
    with suppress(*UNREADABLE):
        asked = json.loads(body)
        run = asked.get("params", asked)
        if not _is_incognito(run):
            return _first_question(run.get("input"))
    return ""


def _is_incognito(run: Mapping[str, Any]) -> bool:
    """Whether its context says so, which older clients send among what is ``configurable``."""
    config = run.get("config") or {}
    contexts = (run.get("context"), config.get("configurable"))
    return any(context and context.get("incognito") for context in contexts)


def _first_question(values: Any) -> str:
    asked = (each.text for each in _messages(values) if isinstance(each, HumanMessage))
    return next((text for text in asked if text.strip()), "")


def _first_remembered(values: Any) -> str:
    """The first question whose answer has become an episode; empty if none has."""
    question = ""
    for message in _messages(values):
        if isinstance(message, HumanMessage):
            question = message.text.strip()
        elif question and EPISODE in message.additional_kwargs:
            return question
    return ""


def _messages(values: Any) -> list[BaseMessage]:
    """The messages in a run's input or a thread's state; none where they cannot be read."""
    messages = values.get("messages") if isinstance(values, Mapping) else []
    with suppress(*UNREADABLE):
        several: list[Any] = messages if isinstance(messages, list) else [messages]
        return convert_to_messages(several)
    return []
