"""What differs between endpoints that all call themselves OpenAI-compatible."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.endpoint import Raw, ToolCall

Body = dict[str, Any]
Said = str | list[ToolCall]
"""What a model wants to say: an answer, or calls of tools."""

Refuse = Callable[[Body], Raw | None]


@dataclass(frozen=True)
class Reply:
    """What a model says to one request, and whether the endpoint streams it."""

    body: Body
    said: Said
    reasoning: str = ""

    @property
    def usage(self) -> Body:
        read = sum(len(str(message.get("content")).split()) for message in self.body["messages"])
        return {"prompt_tokens": read, "completion_tokens": 7, "total_tokens": read + 7}

    @property
    def wants_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    @property
    def finish(self) -> str:
        return "stop" if isinstance(self.said, str) else "tool_calls"


@dataclass(frozen=True)
class Dialect:
    """One kind of endpoint.

    Args:
        whole: the body of an answer that is not streamed.
        events: the events of a stream, each JSON or the text of a comment.
        refuse: what it says to a request with something that it does not take.
        reasoning: what its model thinks before it answers; that is never part of the answer.
        declined: how it refuses a key, a message or more tokens, and words of what the user is told.
        in_prose: its model writes JSON within other words, whatever form is asked for.
    """

    name: str
    model: str
    whole: Callable[[Reply], Body]
    events: Callable[[Reply], list[Body | str]]
    declined: tuple[Raw, str]
    path: str = "/v1"
    refuse: Refuse = lambda body: None
    reasoning: str = ""
    in_prose: bool = False
    ends: tuple[str, ...] = ("[DONE]",)
    refused: Mapping[str, str] = field(default_factory=dict)
    """What it refuses, and what is done instead; for the table in docs/endpoints.md."""

    def answer(self, body: Body, said: Said) -> Raw:
        """The HTTP answer to ``body`` when the model wants to say ``said``."""
        if refusal := self.refuse(body):
            return refusal
        if self.in_prose and isinstance(said, str) and said.startswith("{"):
            said = f"Here is what you asked for:\n```json\n{said}\n```\nAnything else?"
        reply = Reply(body, said, self.reasoning)
        if not body.get("stream"):
            return Raw(json.dumps(self.whole(reply)))
        events = [
            event if isinstance(event, str) else f"data: {json.dumps(event)}"
            for event in self.events(reply)
        ]
        ends = [f"data: {end}" for end in self.ends]
        return Raw("".join(f"{line}\n\n" for line in [*events, *ends]), "text/event-stream")


def pieces(text: str) -> list[str]:
    """``text`` in pieces that join to it again."""
    return [text[start : start + 5] for start in range(0, len(text), 5)]


def error(status: int, text: str, **more: Any) -> Raw:
    """An error in OpenAI's form."""
    fields = {"message": text, "type": "invalid_request_error", "param": None, "code": None}
    return Raw(json.dumps({"error": fields | more}), code=status)


def calls(
    said: list[ToolCall], *, ids: str = "call_{}", index: bool = False, **more: Any
) -> list[Body]:
    """The calls as they stand in a message, each with what else an endpoint puts there."""
    return [
        ({"index": number} if index else {})
        | {
            "id": ids.format(number),
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        | more
        for number, call in enumerate(said)
    ]


def calls_made(body: Body) -> list[Body]:
    """The calls that a request sends back."""
    return [call for each in body["messages"] for call in each.get("tool_calls") or []]


def message(reply: Reply, *, ids: str = "call_{}", **more: Any) -> Body:
    """The message of a whole answer."""
    if isinstance(reply.said, str):
        return {"role": "assistant", "content": reply.said} | more
    return {"role": "assistant", "content": None, "tool_calls": calls(reply.said, ids=ids)} | more


def completion(
    reply: Reply, said: Body, *, choice: Body | None = None, finish: str = "", **more: Any
) -> Body:
    """A whole answer of one choice."""
    return {
        "id": "chatcmpl-B1",
        "object": "chat.completion",
        "created": 1764300000,
        "model": reply.body["model"],
        "choices": [
            {"index": 0, "message": said, "finish_reason": finish or reply.finish} | (choice or {})
        ],
        "usage": reply.usage,
    } | more


def chunk(
    reply: Reply,
    delta: Body | None,
    *,
    finish: str | None = None,
    choice: Body | None = None,
    **more: Any,
) -> Body:
    """One piece of a stream; without ``delta`` one without choices."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish} | (choice or {})]
    return {
        "id": "chatcmpl-B1",
        "object": "chat.completion.chunk",
        "created": 1764300000,
        "model": reply.body["model"],
        "choices": [] if delta is None else choices,
    } | more


def deltas(reply: Reply, *, ids: str = "call_{}") -> list[Body]:
    """What a stream adds piece by piece, as OpenAI sends it: of a call the arguments in pieces."""
    if isinstance(reply.said, str):
        return [{"content": piece} for piece in pieces(reply.said)]
    found: list[Body] = []
    for call in calls(reply.said, ids=ids, index=True):
        arguments = call["function"]["arguments"]
        begun = call | {"function": call["function"] | {"arguments": ""}}
        found.append({"role": "assistant", "content": None, "tool_calls": [begun]})
        found += [
            {"tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]}
            for piece in pieces(arguments)
        ]
    return found


def unsupported(*names: str) -> Refuse:
    """Refuses these parameters as OpenAI does."""

    def refuse(body: Body) -> Raw | None:
        name = next((name for name in names if name in body), None)
        if name is None:
            return None
        text = f"Unsupported parameter: '{name}' is not supported with this model."
        return error(400, text, param=name, code="unsupported_parameter")

    return refuse
