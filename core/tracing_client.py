"""A LangSmith client that sends no more than the settings allow."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
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
"""Metadata without any text of the user's."""
NAMES_USER = ("user_id", "owner")
LANGGRAPHS_USER = re.compile(r"langgraph_auth_\w+")
IDENTITIES = (*NAMES_USER, "langgraph_auth_user_id", "identity")
"""Under which keys of a run's metadata and inputs servers and callers say whose it is."""
TRACES = 4096
"""Unfinished turns and alignments whose facts are kept."""

_users: ContextVar[frozenset[str]] = ContextVar(
    "the users of the run that is sent", default=frozenset()
)
_NOBODY: frozenset[str] = frozenset()


class TracingClient(Client):
    """Sends users' ids as hashes unless settings say otherwise, and texts only if they allow it.

    Without content a run keeps its name, times, tags, models, tokens, the class of an error, and
    the facts from ``describe``.
    """

    def __init__(self, settings: Settings, provider: "TracerProvider | None" = None) -> None:
        self._content = settings.trace_content
        self._plain = settings.trace_user == "plain"
        self._facts: LRUCache[UUID, dict[str, Any]] = LRUCache(TRACES)
        self._users_of: LRUCache[Any, frozenset[str]] = LRUCache(TRACES)
        super().__init__(
            hide_inputs=not self._content or None,
            hide_outputs=not self._content or None,
            anonymizer=self._allowed,
            otel_tracer_provider=provider,  # pyright: ignore[reportArgumentType]  the real one
        )

    def matches(self, settings: Settings) -> bool:
        """Whether it was made with the same settings of traces."""
        return (self._content, self._plain) == (
            settings.trace_content,
            settings.trace_user == "plain",
        )

    def describe(self, user_id: str | None = None, thread: str | None = None, **facts: Any) -> None:
        """Add these facts to the root of the current trace, if it is one of this client's."""
        run = get_current_run_tree()
        if run is None or run.client is not self:
            return
        if user_id is not None:
            self._users_of[run.trace_id] = self._users_of.get(run.trace_id, _NOBODY) | {user_id}
            facts["user"] = self._user(user_id)
        if thread is not None:
            facts["thread_id"] = thread
        self._facts[run.trace_id] = self._facts.get(run.trace_id, {}) | facts

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **kwargs: Any) -> None:
        """As ``Client.create_run``."""
        with self._whose(kwargs.get("id"), kwargs | {"inputs": inputs}):
            super().create_run(name, inputs, run_type, **self._bare(kwargs))

    def update_run(self, run_id: Any, **kwargs: Any) -> None:
        """As ``Client.update_run``; the root of a trace gets its facts at the end."""
        if run_id == kwargs.get("trace_id") and (facts := self._facts.pop(run_id, None)):
            extra = kwargs.get("extra") or {}
            kwargs["extra"] = {**extra, "metadata": {**(extra.get("metadata") or {}), **facts}}
        with self._whose(run_id, kwargs):
            super().update_run(run_id, **self._bare(kwargs))

    @contextmanager
    def _whose(self, run_id: Any, run: Mapping[str, Any]) -> Iterator[None]:
        """Know, while the run is sent, the ids of the users that its trace has named so far."""
        trace = run.get("trace_id") or run_id
        metadata = (run.get("extra") or {}).get("metadata")
        ids = frozenset([*_identities(metadata), *_identities(run.get("inputs"))])
        users = self._users_of[trace] = self._users_of.get(trace, _NOBODY) | ids
        token = _users.set(users)
        try:
            yield
        finally:
            _users.reset(token)

    def _bare(self, run: dict[str, Any]) -> dict[str, Any]:
        """The fields of a run; without content, none of those that LangSmith's own options pass.

        These hide inputs, outputs, metadata and errors. Beside them stand the parameters of a
        call, with its tools and the labels that a grammar allows, and the model's address.
        """
        extra = dict(run.get("extra") or {})  # the client writes what it hides into it
        if tags := run.get("tags"):
            run = run | {"tags": self._hashed(list(tags))}
        if self._content:
            return run | {"extra": extra}
        known = {key: extra[key] for key in ("metadata", "runtime") if key in extra}
        return run | {"extra": known, "serialized": None}

    def _allowed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The part that may be sent of a run's inputs, outputs, metadata, or ``{error}``."""
        if self._content:
            return _with_thread(self._hashed(fields))
        if fields.keys() == {"error"}:
            return {"error": _kind(str(fields["error"]))}
        public = {key: value for key, value in fields.items() if KEPT.fullmatch(key)}
        return _with_thread(self._hashed(public))

    def _hashed(self, value: Any) -> Any:
        """The value with users' ids hashed wherever they stand, and LangGraph's copies left out."""
        if self._plain:
            return value
        if isinstance(value, str):
            return self._user(value) if value in _users.get() else value
        if isinstance(value, list | tuple):
            return [self._hashed(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            self._hashed(key): self._user(each)
            if key in NAMES_USER and isinstance(each, str)
            else self._hashed(each)
            for key, each in value.items()
            if not (isinstance(key, str) and LANGGRAPHS_USER.fullmatch(key))
        }

    def _user(self, user_id: str) -> str:
        return user_id if self._plain or not user_id.strip() else user_key(user_id)


def _identities(value: Any) -> Iterator[str]:
    """The users' ids in a run's metadata or inputs, at any depth."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _identities(each)
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(each, str) and key in IDENTITIES:
                yield each
            else:
                yield from _identities(each)


def tracing_client(settings: Settings, provider: "TracerProvider | None") -> TracingClient:
    """Make the client, and LangSmith's default in this process.

    Args:
        provider: exports spans, where LangSmith's variables ask for OpenTelemetry.

    Raises:
        ConfigurationError: LangSmith's variables are wrong.
    """
    try:
        client = TracingClient(settings, provider)
    except LangSmithUserError as error:
        raise ConfigurationError(
            f"LANGSMITH_TRACING is set, and traces cannot be sent: {' '.join(str(error).split())}"
        ) from error
    langsmith.configure(client=client)
    return client


def _with_thread(fields: Mapping[str, Any]) -> dict[str, Any]:
    thread = fields.get("thread_id")
    return {**fields} | ({"thread_id": _thread(thread)} if isinstance(thread, str) else {})


def _thread(name: str) -> str:
    """The thread's id; a hash of it, if it may be a name that the user gave."""
    with suppress(ValueError):
        return str(UUID(name))
    return sha256(name.encode()).hexdigest()


def _kind(error: str) -> str:
    """The error's class, which stands before its text and traceback."""
    name = re.match(r"[A-Za-z_][\w.]*", error)
    return name[0] if name else "Error"
