"""The identity of a run: whose memory its nodes and tools reach."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langgraph.prebuilt.tool_node import ToolRuntime
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from personaagent.core.alignment_state import alignment_thread
from personaagent.core.errors import ConfigurationError, UsageError
from personaagent.core.states import AgentContext
from personaagent.core.tracing import describe
from personaagent.core.users import check_user_id
from personaagent.memory.hiding import NOTHING_HIDDEN, Hidden
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory

NOT_HERE = "An alignment runs on its user's own thread only: start it by POST /me/alignments."

AnyRuntime = Runtime[Any] | ToolRuntime[Any, Any]


def user_memory(
    memory: Memory, runtime: AnyRuntime, state: Mapping[str, Any] | None = None
) -> UserMemory:
    """Return the memory of the user whose run this is: the only one that a node or tool can reach.

    On a server the user is the authenticated one, whatever the client's context claims. Episodes
    that the context hides do not appear in it. With the ``state`` of a run, what is written belongs
    to the generation in which the run began: nothing is, if the user was forgotten since. And what
    the run read at its beginning is at hand.

    Raises:
        UsageError: nobody is authenticated, and the context has no user id.
        ConfigurationError: the graph was compiled without a store.
    """
    user_id, info = _user_id(runtime), runtime.execution_info
    describe(user_id=user_id, thread=info.thread_id if info else None)
    generation = _generation(state)
    own = memory.of(_store(runtime), user_id, generation)
    if turn := (state or {}).get("episode_id"):
        read = memory.turns.of(own.store.key, turn, generation)
        own.store.have(read and read.snapshot)
    return own.hiding(_hidden(runtime))


def aligned_memory(
    memory: Memory, runtime: AnyRuntime, state: Mapping[str, Any] | None = None
) -> UserMemory:
    """The memory of the user whose alignment this is; on a server it runs on their own thread only.

    So a server's queue runs one at a time, and the thread's history is that of the persona.

    Raises:
        UsageError, ConfigurationError: as ``user_memory`` raises them; or a client has started it on
            another thread.
    """
    user, info = user_memory(memory, runtime, state), runtime.execution_info
    thread = info.thread_id if info else None
    if runtime.server_info is not None and _is_of_another(thread, user.user_id):
        raise UsageError(NOT_HERE)
    return user


def _is_of_another(thread: str | None, user_id: str) -> bool:
    """Whether a server's thread, whose id is a UUID, is not that of the user's alignment."""
    try:
        return thread is None or str(UUID(thread)) != alignment_thread(user_id)
    except ValueError:
        return False


def _user_id(runtime: AnyRuntime) -> str:
    server = runtime.server_info
    user = None if server is None else server.user
    if user is not None and user.is_authenticated and user.identity:
        return check_user_id(user.identity)
    if runtime.context is None or not runtime.context.user_id:
        raise UsageError("The run's context has no user_id: say whose memory is meant.")
    return str(runtime.context.user_id)


def _generation(state: Mapping[str, Any] | None) -> str:
    """The generation in which the run began, as its first node noted; empty if that did not."""
    notes = [(state or {}).get(name) for name in ("branch", "plan")]
    return next((str(each.get("generation") or "") for each in notes if each), "")


def _hidden(runtime: AnyRuntime) -> Hidden:
    context = runtime.context
    if not isinstance(context, AgentContext):
        return NOTHING_HIDDEN
    return Hidden(context.hidden, context.before)


def _store(runtime: AnyRuntime) -> BaseStore:
    if runtime.store is None:
        raise ConfigurationError("The graph was compiled without a store: memory has no place.")
    return runtime.store
