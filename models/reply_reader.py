"""What an endpoint sends of a reply, whole or in pieces, read into messages: see ``docs/endpoints.md``."""

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

from personaagent.models.ending import DONE
from personaagent.models.reasoning import Piece, ReasoningSplitter
from personaagent.models.tool_call_parts import ToolCallParts
from personaagent.models.written_calls import WrittenCalls

REASONING = "reasoning_content"
"""Key in the ``additional_kwargs`` of a piece: reasoning, where it was asked for."""

TAKEN_BACK = "taken_back"
"""Key in the ``additional_kwargs`` of a piece: so many characters of text before it were reasoning."""

REASONED = "reasoned"
"""Key in ``response_metadata``: whether the model wrote any reasoning."""

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
"""Where reasoning stands beside the answer: DeepSeek, llama.cpp, LM Studio; vLLM, Ollama, OpenRouter,
Groq; others. Some send the same in two of them."""


class ReplyReader:
    """Reads one reply, piece by piece; a whole reply is a single piece.

    Args:
        taken: ids of tool calls that the conversation holds already.
        opened: as of ``ReasoningSplitter``.
        shows_reasoning: whether the pieces carry the reasoning (``REASONING``).
        offers_tools: whether the model may call tools.
    """

    def __init__(
        self,
        *,
        taken: set[str] | None = None,
        opened: bool = False,
        shows_reasoning: bool = False,
        offers_tools: bool = False,
    ) -> None:
        self.splitter = ReasoningSplitter(opened=opened)
        self.calls = ToolCallParts(taken or set())
        self._written = WrittenCalls(expected=offers_tools)
        self.reasoning = ""
        self.details: list[Mapping[str, Any]] = []
        self._shows_reasoning = shows_reasoning
        self._shown = 0
        self._reasoning_shown = 0
        self._text = ""
        self._refusal = ""
        self._info: dict[str, Any] = {}
        self._logprobs: list[Any] = []
        self._usage: Mapping[str, Any] = {}
        self._answered = False

    def read(self, event: Any) -> AIMessageChunk | None:
        """What one event adds to the text, if anything.

        Raises:
            ValueError: it is no part of a reply.
        """
        if not isinstance(event, Mapping):
            raise ValueError(f"it holds {type(event).__name__}, no reply")
        self._note(event)
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return None
        return self._chunk(self.splitter.feed(self._content(choice)))

    def end(self, *, done: bool) -> AIMessageChunk:
        """The last piece: what was held back, the tool calls, why the reply ended, and the tokens.

        Args:
            done: whether all came that the endpoint had to send.

        Raises:
            ValueError: no event was part of a reply.
        """
        if done and not self._answered:
            raise ValueError("it holds no reply")
        cut = self._info.get("finish_reason") == "length"
        last = self._chunk(self.splitter.end(cut=cut)) or AIMessageChunk(content="")
        rest, calls = self._written.end()
        last.content = last.text + rest
        self._text += rest
        self.calls.add(calls)
        if self._refusal and not self._text.strip():
            last.content = self._refusal
        if self._logprobs:
            self._info["logprobs"] = {"content": self._answers_logprobs()}
        return AIMessageChunk(
            content=last.content,
            additional_kwargs=last.additional_kwargs,
            tool_call_chunks=self.calls.chunks(),
            response_metadata={
                "model_provider": "openai",
                DONE: done,
                REASONED: bool(self.reasoning),
                **self._info,
            },
            usage_metadata=_usage(self._usage),
        )

    def _note(self, event: Mapping[str, Any]) -> None:
        for key in ("system_fingerprint", "service_tier"):
            if event.get(key):
                self._info[key] = event[key]
        if event.get("model"):
            self._info["model_name"] = event["model"]
        if isinstance(usage := event.get("usage"), Mapping) and usage:
            self._usage = usage  # some repeat it, growing, with each piece

    def _content(self, choice: Mapping[str, Any]) -> str:
        """The text of one choice, reasoning and all; the rest is noted."""
        part = choice.get("delta") if "delta" in choice else choice.get("message")
        if isinstance(part, Mapping) or choice.get("text"):
            self._answered = True
        part = part if isinstance(part, Mapping) else {}
        if choice.get("finish_reason"):
            self._info["finish_reason"] = choice["finish_reason"]
        if isinstance(logprobs := choice.get("logprobs"), Mapping):
            self._logprobs += logprobs.get("content") or []
        self._refusal += _text(part.get("refusal"))
        self.calls.add(part.get("tool_calls"))
        if part.get("function_call"):
            self.calls.add([{"function": part["function_call"], "index": 0}])
        if isinstance(details := part.get("reasoning_details"), list):
            self.details += [each for each in details if isinstance(each, Mapping)]
        text, reasoning = _split_blocks(part.get("content") or choice.get("text"))
        self.reasoning += reasoning or _beside(part)
        return text

    def _chunk(self, piece: Piece) -> AIMessageChunk | None:
        """``piece`` as a message; None if nothing of it is to be shown."""
        self.reasoning += piece.reasoning
        more: dict[str, Any] = {}
        if self._shows_reasoning and len(self.reasoning) > self._reasoning_shown:
            more[REASONING] = self.reasoning[self._reasoning_shown :]
            self._reasoning_shown = len(self.reasoning)
        if piece.taken_back:
            more[TAKEN_BACK] = self._shown
            self._text = ""
            self._written.clear()
        answer = self._written.feed(piece.answer)
        self._shown += len(answer)
        self._text += answer
        return AIMessageChunk(content=answer, additional_kwargs=more) if answer or more else None

    def _answers_logprobs(self) -> list[Any]:
        """The log-probabilities of the answer's tokens, without those of the reasoning."""
        answer = self._text.strip()
        if not self.reasoning or not answer:
            return self._logprobs
        tokens = [_text(token.get("token")) for token in self._logprobs]
        start = "".join(tokens).rfind(answer)
        before = 0
        for index, token in enumerate(tokens):
            if before + len(token) > start >= 0:
                return self._logprobs[index:]
            before += len(token)
        return []


def _beside(part: Mapping[str, Any]) -> str:
    """The reasoning that stands beside the text."""
    found = (_joined(part[field]) for field in REASONING_FIELDS if part.get(field))
    return next(filter(None, found), "")


def _joined(value: Any) -> str:
    return "".join(_split_blocks(value))


def _split_blocks(content: Any) -> tuple[str, str]:
    """The text and the reasoning in ``content``: a text, or a list of blocks (Mistral, Anthropic)."""
    blocks = content if isinstance(content, list) else [content]
    text = reasoning = ""
    for block in blocks:
        if isinstance(block, Mapping):
            kind = str(block.get("type"))
            if kind.startswith(("thinking", "reasoning")):
                reasoning += _joined(block.get("thinking") or _reasoning_in(block))
            else:
                text += _text(block.get("text") or block.get("refusal"))
        else:
            text += _text(block)
    return text, reasoning


def _reasoning_in(block: Mapping[str, Any]) -> Any:
    return next(
        (block[key] for key in ("reasoning", "text", "summary", "content") if block.get(key)), ""
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return _text(value.get("value"))
    return value if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> UsageMetadata | None:
    """The tokens, by the names that LangChain gives them; None if the endpoint counts none."""
    read, wrote = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if not usage:
        return None
    return UsageMetadata(
        input_tokens=read,
        output_tokens=wrote,
        total_tokens=_count(usage, "total_tokens") or read + wrote,
        input_token_details=InputTokenDetails(
            cache_read=_count(usage.get("prompt_tokens_details"), "cached_tokens")
        ),
        output_token_details=OutputTokenDetails(
            reasoning=_count(usage.get("completion_tokens_details"), "reasoning_tokens")
        ),
    )


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, Mapping) else None
    return int(value) if isinstance(value, int | float) else 0
