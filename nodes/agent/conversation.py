"""A thread's messages as they can be sent to a model, whatever its clients and failed turns left in it.

- A question whose turn ended without an answer is left out, with all that followed it in that turn.
- User and assistant take turns, the user first: messages of one side in a row become one.
- No message is empty, and a tool's result follows the call that asked for it; other results, and
  calls without one, are left out.
- Text is plain, without control characters and a model's reasoning. Of other content only pictures,
  sound and files of the user stay.
- System messages of the client are taken out, in their order, each once; ``react`` puts them at the
  end of the system prompt.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from personaagent.core.text import without_controls, without_pasted
from personaagent.core.thread_messages import is_answer, is_unanswered
from personaagent.models.reasoning import without_reasoning

MEDIA = ("image_url", "image", "input_audio", "audio", "video", "file")
"""Types of content blocks of the user that are sent as they are."""
NO_RESULT = "(no result)"
BETWEEN = "\n\n"

Block = dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """``earlier`` are the exchanges that ended with an answer; ``turn`` is the question of now and what
    its turn has added. ``instructions`` are the client's own system messages."""

    instructions: str
    earlier: list[AnyMessage]
    turn: list[AnyMessage]

    @property
    def question(self) -> str:
        """The text of the question; empty if there is none, or only a picture."""
        return _text(self.turn[0]) if self.turn else ""

    @property
    def has_media(self) -> bool:
        """Whether a picture, sound or file belongs to the question."""
        return bool(self.turn) and not isinstance(self.turn[0].content, str)


def conversation(messages: Sequence[BaseMessage]) -> Conversation:
    """Read a thread. ``turn`` is empty if the thread does not end with a turn of the user's."""
    *ended, now = _exchanges(messages) or [[]]
    earlier = [message for each in ended for message in _ended(each)]
    turn = _well_formed(now, without_pasted)  # the rest of its controls are refused (``recall``)
    return Conversation(_instructions(messages), earlier, turn)


def question_of(messages: Sequence[BaseMessage]) -> str:
    """The text of the user's question of now; several messages that came together are one."""
    exchanges = _exchanges(messages)
    question = _question(exchanges[-1], without_pasted) if exchanges else None
    return "" if question is None else _text(question)


def questions_of(messages: Sequence[BaseMessage]) -> list[str]:
    """The texts of the questions that the model is sent, oldest first."""
    talk = conversation(messages)
    asked = [_text(m) for m in (*talk.earlier, *talk.turn) if isinstance(m, HumanMessage)]
    return [*filter(None, asked)]


def with_text(message: BaseMessage, text: str) -> HumanMessage:
    """The user's message with another text, beside the same pictures."""
    media = [] if isinstance(message.content, str) else [*filter(_is_media, message.content)]
    return HumanMessage([{"type": "text", "text": text}, *media] if media else text)


def _instructions(messages: Iterable[BaseMessage]) -> str:
    texts = (_plain(each) for each in messages if isinstance(each, SystemMessage))
    return BETWEEN.join(dict.fromkeys(filter(None, texts)))


def _exchanges(messages: Iterable[BaseMessage]) -> list[list[BaseMessage]]:
    """The thread in exchanges: questions that belong together, and what followed them."""
    exchanges: list[list[BaseMessage]] = []
    for message in messages:
        if not isinstance(message, HumanMessage | AIMessage | ToolMessage):
            continue
        if not exchanges or (isinstance(message, HumanMessage) and _is_over(exchanges[-1])):
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _is_over(exchange: list[BaseMessage]) -> bool:
    last = exchange[-1]
    return not isinstance(last, HumanMessage) or is_unanswered(last)


def _ended(exchange: list[BaseMessage]) -> list[AnyMessage]:
    """An exchange of before, if it ended with an answer."""
    said = [message for message in exchange if isinstance(message, AIMessage)]
    formed = _well_formed(exchange) if said and is_answer(said[-1]) else []
    return formed if formed and isinstance(formed[-1], AIMessage) else []


def _well_formed(
    exchange: list[BaseMessage], cleaned: Callable[[str], str] = without_controls
) -> list[AnyMessage]:
    """The question as one message, and the steps that followed it; nothing without a question."""
    question = _question(exchange, cleaned)
    return [] if question is None else [question, *_steps(exchange)]


def _question(exchange: list[BaseMessage], cleaned: Callable[[str], str]) -> HumanMessage | None:
    blocks = [b for m in exchange if isinstance(m, HumanMessage) for b in _blocks(m, cleaned)]
    return HumanMessage(_content(blocks)) if blocks else None


def _steps(exchange: Iterable[BaseMessage]) -> list[AnyMessage]:
    steps: list[tuple[AIMessage, dict[str | None, ToolMessage]]] = []
    for message in exchange:
        if isinstance(message, AIMessage):
            steps.append((message, {}))
        elif isinstance(message, ToolMessage) and steps:
            steps[-1][1].setdefault(message.tool_call_id, message)
    return _in_turns(each for step in steps for each in _step(*step))


def _step(said: AIMessage, results: dict[str | None, ToolMessage]) -> list[AnyMessage]:
    """What the agent said, with those of its calls that have a result, and these results."""
    calls = {call["id"]: call for call in reversed(said.tool_calls) if call["id"] in results}
    text, answered = without_reasoning(_plain(said)), [*reversed(calls.values())]
    if not text and not answered:
        return []
    return [
        AIMessage(text, tool_calls=answered),
        *(_result(results[call["id"]], call["name"]) for call in answered),
    ]


def _result(result: ToolMessage, name: str) -> ToolMessage:
    return ToolMessage(
        _plain(result) or NO_RESULT,
        name=name,
        tool_call_id=result.tool_call_id,
        status=result.status,
    )


def _in_turns(messages: Iterable[AnyMessage]) -> list[AnyMessage]:
    """The messages, with those of the assistant that stand in a row as one."""
    merged: list[AnyMessage] = []
    for message in messages:
        last = merged[-1] if merged else None
        if isinstance(message, AIMessage) and isinstance(last, AIMessage):
            text = BETWEEN.join(filter(None, (last.text, message.text)))
            merged[-1] = AIMessage(text, tool_calls=message.tool_calls)
        else:
            merged.append(message)
    return merged


def _blocks(message: BaseMessage, cleaned: Callable[[str], str]) -> list[Block]:
    """The content as blocks: texts that are not empty, pictures, sound and files."""
    content = message.content
    if isinstance(content, str) or not any(map(_is_media, content)):
        content = [message.text]
    blocks = (_as_sent(part) if _is_media(part) else _text_block(part) for part in content)
    return [
        {**block, "text": cleaned(block["text"])} if block["type"] == "text" else block
        for block in blocks
        if block
    ]


def _as_sent(media: Block) -> Block:
    address = media.get("image_url")
    return {**media, "image_url": {"url": address}} if isinstance(address, str) else media


def _text_block(part: str | Block) -> Block | None:
    text = part if isinstance(part, str) else part.get("text")
    return {"type": "text", "text": text} if isinstance(text, str) and text.strip() else None


def _is_media(part: str | Block) -> TypeGuard[Block]:
    return isinstance(part, dict) and part.get("type") in MEDIA


def _content(blocks: list[Block]) -> Any:
    """One text, if there is nothing else: not every endpoint takes a list."""
    return blocks if any(map(_is_media, blocks)) else _joined(blocks)


def _text(question: AnyMessage) -> str:
    content = question.content
    return content if isinstance(content, str) else _joined(content)


def _joined(blocks: Iterable[Any]) -> str:
    return BETWEEN.join(block["text"] for block in blocks if not _is_media(block))


def _plain(message: BaseMessage) -> str:
    return without_controls(message.text.strip())
