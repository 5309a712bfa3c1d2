"""Tool calls that a model writes into its text, where its server does not know how it calls tools."""

import json
import re
from typing import Any

from personaagent.models.tool_call_parts import arguments_in

_OPENINGS = ("<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<function=")
"""Qwen, Hermes and GLM; Mistral; Llama; Llama and Qwen-Coder."""

_BLOCK = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|$)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([\w.-]+)>\s*(.*?)\s*(?:</function>|$)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>\s*(.*?)\s*</parameter>", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


class WrittenCalls:
    """Holds back what follows the mark of a tool call in a text that comes in pieces."""

    def __init__(self, *, expected: bool) -> None:
        self._expected = expected
        self._held = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """What of the text so far is no call, as far as that is certain."""
        if not self._expected:
            return text
        self._held += text
        if self._begun:
            return ""
        found = [at for mark in _OPENINGS if (at := self._held.find(mark)) >= 0]
        self._begun = bool(found)
        length = min(found) if found else len(self._held) - _begins_mark(self._held)
        shown, self._held = self._held[:length], self._held[length:]
        return shown

    def clear(self) -> None:
        """Forget the text so far."""
        self._held, self._begun = "", False

    def end(self) -> tuple[str, list[dict[str, Any]]]:
        """The text that is no call after all, and the calls, as endpoints send them."""
        calls = calls_in(self._held) if self._begun else []
        return ("" if calls else self._held), calls


def calls_in(text: str) -> list[dict[str, Any]]:
    """The calls that ``text`` holds, each as ``{"function": {"name", "arguments"}}``."""
    if functions := _FUNCTION.findall(text):
        return [_call(name, _parameters(inner)) for name, inner in functions]
    blocks = _BLOCK.findall(text) or [re.sub(r"^\s*(\[TOOL_CALLS\]|<\|python_tag\|>)", "", text)]
    return [call for block in blocks for call in _in_block(block)]


def _in_block(block: str) -> list[dict[str, Any]]:
    try:
        value, _ = _DECODER.raw_decode(block.strip())
    except ValueError:
        return []
    values = value if isinstance(value, list) else [value]
    return [_of_object(each) for each in values if isinstance(each, dict) and each.get("name")]


def _of_object(value: dict[str, Any]) -> dict[str, Any]:
    return _call(str(value["name"]), value.get("arguments", value.get("parameters")))


def _parameters(inner: str) -> Any:
    return dict(_PARAMETER.findall(inner)) or arguments_in(inner) or {}


def _call(name: str, arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def _begins_mark(text: str) -> int:
    """How many of the last characters of ``text`` may begin a mark."""
    longest = max(map(len, _OPENINGS)) - 1
    lengths = range(min(longest, len(text)), 0, -1)
    return next((n for n in lengths if any(o.startswith(text[-n:]) for o in _OPENINGS)), 0)
