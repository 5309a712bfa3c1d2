"""Tool calls as endpoints send them, whole or in parts, made into ones that can be run and sent back."""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langchain_core.messages import ToolCallChunk

FENCE = re.compile(r"^\s*```\w*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def new_call_id() -> str:
    """An id that every endpoint takes back: Mistral demands nine letters and digits."""
    return uuid4().hex[:9]


def arguments_in(text: str) -> dict[str, Any] | None:
    """The arguments that ``text`` holds, perhaps fenced, encoded twice or as Python writes them.

    No text means no arguments. None if they cannot be read.
    """
    text = fenced[1] if (fenced := FENCE.match(text)) else text
    if not text.strip():
        return {}
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        value = _python_literal(text)
    if isinstance(value, str):
        return arguments_in(value) if value != text else None
    return value if isinstance(value, dict) else None


def _python_literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


@dataclass
class _Call:
    index: int | None
    id: str
    name: str = ""
    arguments: str = ""
    extra: Any = None

    @property
    def complete(self) -> bool:
        return (
            bool(self.name and self.arguments.strip()) and arguments_in(self.arguments) is not None
        )


@dataclass
class ToolCallParts:
    """Puts parts together. Ids and indexes may be missing, empty or used twice.

    ``taken``: the ids of earlier calls of the conversation, which no new call gets.
    """

    taken: set[str] = field(default_factory=set)
    _calls: list[_Call] = field(default_factory=list)

    def add(self, parts: Any) -> None:
        """Take the ``tool_calls`` of one message or one piece of it."""
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict):
                self._add(part)

    def _add(self, part: dict[str, Any]) -> None:
        function = part.get("function")
        function = function if isinstance(function, dict) else part
        name, arguments = str(function.get("name") or ""), _as_text(function.get("arguments"))
        call = self._call_of(part, name, arguments)
        if name and name != call.name:
            call.name += name
        call.arguments += arguments
        call.id = call.id or _id(part)
        call.extra = part.get("extra_content") or call.extra

    def _call_of(self, part: dict[str, Any], name: str, arguments: str) -> _Call:
        """The call that ``part`` continues, or a new one."""
        index = part.get("index") if isinstance(part.get("index"), int) else None
        call = self._begun(index, _id(part), name)
        if call is None or (call.complete and name and arguments.strip()):
            call = _Call(index, _id(part))
            self._calls.append(call)
        return call

    def _begun(self, index: int | None, id_: str, name: str) -> _Call | None:
        """The last call with this index and id; without either, the last one if no name begins another."""
        for call in reversed(self._calls):
            if index is not None and call.index is not None and call.index != index:
                continue
            if id_ and call.id and id_ != call.id:
                continue
            if id_ or index is not None or not name:
                return call
            return None
        return None

    def chunks(self) -> list[ToolCallChunk]:
        """The calls, each with an id of its own; those whose arguments cannot be read come last,
        without arguments, so that the tool refuses them in words."""
        read = [(call, arguments_in(call.arguments)) for call in self._calls if call.name]
        read.sort(key=lambda pair: pair[1] is None)
        return [
            ToolCallChunk(
                name=call.name,
                args=json.dumps(arguments or {}),
                id=self._own_id(call),
                index=index,
                type="tool_call_chunk",
            )
            for index, (call, arguments) in enumerate(read)
        ]

    def _own_id(self, call: _Call) -> str:
        if not call.id or call.id in self.taken:
            call.id = new_call_id()
        self.taken.add(call.id)
        return call.id

    @property
    def ids(self) -> list[str]:
        """The ids of the calls, once ``chunks`` has given them."""
        return [call.id for call in self._calls if call.name]

    @property
    def extras(self) -> dict[str, Any]:
        """What an endpoint sent beside a call and wants back with it, by the call's id."""
        return {call.id: call.extra for call in self._calls if call.extra}


def ids_of(messages: Iterable[Any]) -> set[str]:
    """The ids of the tool calls in ``messages``."""
    return {
        call["id"]
        for message in messages
        for call in getattr(message, "tool_calls", [])
        if call.get("id")
    }


def _id(part: dict[str, Any]) -> str:
    id_ = part.get("id")
    return str(id_) if id_ not in (None, "") else ""


def _as_text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)
