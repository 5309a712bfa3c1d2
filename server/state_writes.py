"""What a client may write into the state of a thread: what a run is started with, and no more.

All other fields the nodes make for themselves, and trust: the prompt, what was recalled, the id by
which a turn is remembered, the plan and the candidates of an alignment.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from personaagent.core.alignment_state import AlignmentInput, AlignmentState
from personaagent.core.states import AgentInput, AgentState

CLIENTS = frozenset({*get_type_hints(AgentInput), *get_type_hints(AlignmentInput)})
SERVERS = frozenset({*get_type_hints(AgentState), *get_type_hints(AlignmentState)}) - CLIENTS
"""The fields of both graphs' states that only their nodes write."""
WRITES = ("values", "update")
"""Where in a body LangGraph's servers find what is to be written past a graph's own input: updates of
a state, and commands, alone or as the steps of a new thread."""
NO_WRITES = ("input", "metadata", "context", "config", "resume")
"""What is no part of a state, or passes the input that a graph declares, which knows no other field."""


def server_made(body: Any) -> list[str]:
    """The fields that ``body``, a request to LangGraph's server, would write and may not."""
    return sorted(SERVERS.intersection(_written(body)))


def _written(body: Any) -> Iterator[str]:
    """The names of all fields that the body writes, at any depth."""
    if isinstance(body, list):
        for each in body:
            yield from _written(each)
    if isinstance(body, Mapping):
        for key, value in body.items():
            if key in WRITES:
                yield from _fields(value)
            elif key == "goto":
                yield from _inputs(value)
            elif key not in NO_WRITES:
                yield from _written(value)


def _fields(write: Any) -> Iterator[str]:
    """The names of the fields in an update: an object, several of them, or pairs."""
    if isinstance(write, Mapping):
        yield from map(str, write)
    elif isinstance(write, list):
        for each in write:
            yield from [each[0]] if _is_pair(each) else _fields(each)


def _is_pair(update: Any) -> bool:
    return isinstance(update, list) and len(update) == 2 and isinstance(update[0], str)


def _inputs(goto: Any) -> Iterator[str]:
    """The names of the fields that nodes are sent, where a command goes on with them."""
    for target in goto if isinstance(goto, list) else [goto]:
        if isinstance(target, Mapping):
            yield from _fields(target.get("input"))
