"""LangSmith's client, such that no trace holds more than the settings allow."""

import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import langsmith
from cachetools import LRUCache
from langsmith import Client
from langsmith.run_helpers import get_current_run_tree
from langsmith.utils import LangSmithUserError

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings
from personaagent.core.users import user_key

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

OURS = (
    "user",
    "thread_id",
    "persona_version",
    "trigger",
    "from_version",
    "to_version",
    "stopped_by",
)
"""What ``describe`` may say of a turn or an alignment."""
KEPT = re.compile(
    r"ls_\w+|langgraph_(?!auth|request)\w+|run_id|run_attempt|graph_id|assistant_id|checkpoint_ns"
    r"|usage_metadata|lc_versions|revision_id|tool_call_id|" + "|".join(OURS)
)
"""Metadata that tells nothing of what was said."""
NAMES_USER = ("user_id", "owner")
LANGGRAPHS_USER = re.compile(r"langgraph_auth_\w+")
TRACES = 4096
"""Turns and alignments going on at once, of which something is known."""


class TracingClient(Client):
    """Sends what the settings allow: of users a hash, and of texts, if need be, none.

    Without content what is left of a run is its name, times, tags, models, tokens, the kind of an
    error, and what ``describe`` said.
    """

    def __init__(self, settings: Settings, provider: "TracerProvider | None" = None) -> None:
        self._content = settings.trace_content
        self._plain = settings.trace_user == "plain"
        self._facts: LRUCache[UUID, dict[str, Any]] = LRUCache(TRACES)
        super().__init__(
            hide_inputs=not self._content or None,
            hide_outputs=not self._content or None,
            anonymizer=self._allowed,
            otel_tracer_provider=provider,
        )

    def matches(self, settings: Settings) -> bool:
        """Whether it allows what these settings do."""
        return (self._content, self._plain) == (
            settings.trace_content,
            settings.trace_user == "plain",
        )

    def describe(self, user_id: str | None = None, thread: str | None = None, **facts: Any) -> None:
        """Keep this for the root of the trace that is going on, if it is one of this client's."""
        run = get_current_run_tree()
        if run is None or run.client is not self:
            return
        if user_id is not None:
            facts["user"] = self._user(user_id)
        if thread is not None:
            facts["thread_id"] = thread
        self._facts[run.trace_id] = self._facts.get(run.trace_id, {}) | facts

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **kwargs: Any) -> None:
        """As ``Client.create_run``."""
        super().create_run(name, inputs, run_type, **self._bare(kwargs))

    def update_run(self, run_id: Any, **kwargs: Any) -> None:
        """As ``Client.update_run``; the root of a trace ends with what is known of the whole."""
        if run_id == kwargs.get("trace_id") and (facts := self._facts.pop(run_id, None)):
            extra = kwargs.get("extra") or {}
            kwargs["extra"] = {**extra, "metadata": {**(extra.get("metadata") or {}), **facts}}
        super().update_run(run_id, **self._bare(kwargs))

    def _bare(self, run: dict[str, Any]) -> dict[str, Any]:
        """The fields of a run; its texts stand in inputs and outputs, and without content no more."""
        extra = dict(run.get("extra") or {})
        if self._content:
            return run | {"extra": extra}
        events = [
            {key: event[key] for key in ("name", "time") if key in event}
            for event in run.get("events") or []
        ]
        known = {key: extra[key] for key in ("metadata", "runtime") if key in extra}
        return run | {"extra": known, "events": events, "serialized": None}

    def _allowed(self, said: dict[str, Any]) -> dict[str, Any]:
        """Inputs, outputs or metadata of a run as JSON, or ``{error}``, without what may not go out."""
        if self._content:
            shown: dict[str, Any] = said if self._plain else self._hashed(said)
            return _with_thread(shown)
        if said.keys() == {"error"}:
            return {"error": _kind(str(said["error"]))}
        return _with_thread({key: value for key, value in said.items() if KEPT.fullmatch(key)})

    def _hashed(self, said: Any) -> Any:
        if isinstance(said, list):
            return [self._hashed(each) for each in said]
        if not isinstance(said, dict):
            return said
        return {
            key: self._user(value)
            if key in NAMES_USER and isinstance(value, str)
            else self._hashed(value)
            for key, value in said.items()
            if not LANGGRAPHS_USER.fullmatch(key)
        }

    def _user(self, user_id: str) -> str:
        return user_id if self._plain or not user_id.strip() else user_key(user_id)


def tracing_client(settings: Settings, provider: "TracerProvider | None") -> TracingClient:
    """The client by which all of this process is traced from now on.

    Args:
        provider: what exports spans, where LangSmith's variables ask for any.

    Raises:
        ConfigurationError: LangSmith's variables are not as they must be.
    """
    try:
        client = TracingClient(settings, provider)
    except LangSmithUserError as error:
        raise ConfigurationError(
            f"LANGSMITH_TRACING is set, and traces cannot be sent: {' '.join(str(error).split())}"
        ) from error
    langsmith.configure(client=client)
    return client


def _with_thread(said: Mapping[str, Any]) -> dict[str, Any]:
    thread = said.get("thread_id")
    return {**said} | ({"thread_id": _thread(thread)} if isinstance(thread, str) else {})


def _thread(name: str) -> str:
    """The thread's id; a hash of it, if it may be a name that the user gave."""
    with suppress(ValueError):
        return str(UUID(name))
    return sha256(name.encode()).hexdigest()


def _kind(error: str) -> str:
    """The error's class: what stands before its text, and before where it happened."""
    found = re.match(r"[A-Za-z_][\w.]*", error)
    return found[0] if found else "Error"
