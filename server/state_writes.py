"""What a client may write into the state of a thread: what a run is started with, and little more.

All other fields the nodes make for themselves, and trust: the prompt, what was recalled, the id by
which a turn is remembered, the plan of an alignment. What a client writes there is left out.
"""

from typing import Any, get_type_hints

from personaagent.core.alignment_state import AlignmentInput, AlignmentState
from personaagent.core.states import AgentInput, AgentState

EDITED = "candidates"
"""What the user of an alignment may edit before its gate, which judges what they wrote."""
CLIENTS = frozenset({*get_type_hints(AgentInput), *get_type_hints(AlignmentInput), EDITED})
SERVERS = frozenset({*get_type_hints(AgentState), *get_type_hints(AlignmentState)}) - CLIENTS
"""The fields of both graphs' states that only their nodes write."""
WRITES = ("values", "update")
"""Where in a body LangGraph's servers find what is to be written past a graph's own input: updates of
a state, and commands, alone or as the steps of a new thread."""
NO_WRITES = ("input", "metadata", "context", "config", "resume")
"""What is no part of a state, or passes the input that a graph declares, which knows no other field."""


def without_server_made(body: Any) -> Any:
    """The body of a request to LangGraph's server, without what it may not write."""
    if isinstance(body, list):
        return [without_server_made(each) for each in body]
    if isinstance(body, dict):
        return {key: _part(key, value) for key, value in body.items()}
    return body


def _part(key: str, value: Any) -> Any:
    if key in NO_WRITES:
        return value
    if key in WRITES:
        return _update(value)
    return _targets(value) if key == "goto" else without_server_made(value)


def _update(write: Any) -> Any:
    """An update, which is an object, several of them, or pairs."""
    if isinstance(write, dict):
        return {name: value for name, value in write.items() if name not in SERVERS}
    if isinstance(write, list):
        return [each if _is_pair(each) else _update(each) for each in write if not _is_ours(each)]
    return write


def _is_pair(update: Any) -> bool:
    return isinstance(update, list) and len(update) == 2 and isinstance(update[0], str)


def _is_ours(update: Any) -> bool:
    return _is_pair(update) and update[0] in SERVERS


def _targets(goto: Any) -> Any:
    """Where a command goes on: the names of nodes, or nodes with what they are sent."""
    if isinstance(goto, list):
        return [_targets(each) for each in goto]
    if isinstance(goto, dict) and "input" in goto:
        return {**goto, "input": _update(goto["input"])}
    return goto
