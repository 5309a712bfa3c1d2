"""Reasoning that a model writes into its text: taken out, however the text is cut into pieces.

Endpoints that know the model send reasoning beside the answer. Others pass on what it wrote:
``<think>...</think>`` before the answer, or only the end of that where the chat template has already
written the beginning into the prompt.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass

_TAGS = (
    *(
        (f"<{name}>", f"</{name}>")
        for name in ("think", "thinking", "thought", "reasoning", "seed:think", "longcat_think")
    ),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""How a block of reasoning begins and ends: DeepSeek, Qwen, GLM and most others; Gemini; Seed; LongCat;
Magistral; Kimi; Command A; OpenThinker; Gemma; gpt-oss."""

_FRAMES = (
    ("<answer>", "</answer>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
)
"""What some of them put around the answer after it."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_OPENINGS = dict(_TAGS)
_CLOSINGS = tuple(dict.fromkeys(closing for _, closing in _TAGS))
_FRAME_OPENINGS = dict(_FRAMES)


@dataclass(frozen=True)
class Piece:
    """What came in with one piece of the text.

    ``taken_back``: all that was ``answer`` before, in earlier pieces, was reasoning.
    """

    answer: str = ""
    reasoning: str = ""
    taken_back: bool = False


def without_reasoning(text: str) -> str:
    """The answer in ``text``, a whole reply."""
    return split_reasoning(text).answer


def split_reasoning(text: str) -> Piece:
    """The answer and the reasoning of a whole reply."""
    splitter = ReasoningSplitter()
    first, last = splitter.feed(text), splitter.end()
    if last.taken_back:
        return last
    return Piece(first.answer + last.answer, first.reasoning + last.reasoning)


class ReasoningSplitter:
    """Splits a reply that comes in pieces. What may be part of a tag is held back until it is known.

    Args:
        opened: the prompt ends with the opening tag, so the reply begins with reasoning. Nothing
            before its closing tag is an answer; without one, the whole reply is.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._held = ""
        self._before = ""  # the answer so far, without what is held
        self._closing: str | None = None
        self._frame: str | None = None
        self._may_begin = True
        self._unopened = opened
        self.opened_in_prompt = opened
        """Whether a closing tag came without an opening one."""
        self.reasoned = False

    def feed(self, text: str) -> Piece:
        """What is certain after ``text``, the next piece."""
        self._held += text
        piece = Piece()
        while (step := self._step()) is not None:
            piece = _joined(piece, step)
        return piece

    def end(self, *, cut: bool = False) -> Piece:
        """What was held back; ``cut``: the reply was cut off at its token limit."""
        rest, self._held = self._held, ""
        if self._closing or (self._unopened and cut):
            return Piece(reasoning=rest)
        if self._frame:
            rest = _cut_end(rest.rstrip(), self._frame)
        if self.reasoned and not self._before:
            rest = rest.strip()
        return Piece(rest)

    def _step(self) -> Piece | None:
        """One step through what is held; None if more text is needed."""
        if self._closing:
            return self._inside(self._closing)
        if self._unopened:
            return self._until_closing()
        if self._may_begin:
            return self._beginning()
        return self._answer()

    def _inside(self, closing: str) -> Piece | None:
        at = _find(self._held, closing)
        if at < 0:
            return self._take_reasoning(len(self._held) - _partial(self._held, [closing]))
        reasoning, self._held = self._held[:at], self._held[at + len(closing) :]
        self._closing, self._may_begin = None, True
        return Piece(reasoning=reasoning)

    def _take_reasoning(self, length: int) -> Piece | None:
        if not length:
            return None
        reasoning, self._held = self._held[:length], self._held[length:]
        return Piece(reasoning=reasoning)

    def _until_closing(self) -> Piece | None:
        """Reasoning whose beginning stands in the prompt, unless the model repeats it."""
        if opening := _starts(self._held.lstrip(), _OPENINGS):
            self._open(opening)
            return Piece()
        if (found := _first(self._held, _CLOSINGS)) is None:
            return None
        at, closing = found
        reasoning, self._held = self._held[:at], self._held[at + len(closing) :]
        self._unopened, self.reasoned = False, True
        return Piece(reasoning=reasoning)

    def _open(self, opening: str) -> None:
        self._held = self._held.lstrip()[len(opening) :]
        self._closing, self._unopened, self.reasoned = _OPENINGS[opening], False, True

    def _beginning(self) -> Piece | None:
        """Before the answer: reasoning, a frame around the answer, or the answer itself."""
        text = self._held.lstrip()
        if opening := _starts(text, _OPENINGS):
            self._open(opening)
            return Piece()
        if self.reasoned and (frame := _starts(text, _FRAME_OPENINGS)):
            self._frame, self._held = _FRAME_OPENINGS[frame], text[len(frame) :]
            return Piece()
        expected = [*_OPENINGS, *(_FRAME_OPENINGS if self.reasoned and not self._frame else ())]
        if not text or any(_lower(each).startswith(_lower(text)) for each in expected):
            return None
        if self.reasoned:
            self._held = text
        self._may_begin = False
        return Piece()

    def _answer(self) -> Piece | None:
        """Text of the answer, up to a tag or to what may become one."""
        block = self._opening_line()
        if not self.reasoned and (bare := self._bare_closing(block)) is not None:
            return bare
        if block is not None:
            return self._block(block)
        ends = [*_CLOSINGS] if not self.reasoned else []
        ends += [f"\n{opening}" for opening in _OPENINGS]
        held = _partial(self._held, ends)
        if self._frame:
            held = max(held, _tail(self._held, self._frame))
        return self._take_answer(len(self._held) - held)

    def _take_answer(self, length: int) -> Piece | None:
        if length <= 0:
            return None
        answer, self._held = self._held[:length], self._held[length:]
        self._before += answer
        return Piece(answer)

    def _bare_closing(self, block: int | None) -> Piece | None:
        """A closing tag before ``block``, where one begins: all before it was reasoning."""
        found = _first(self._held[:block], _CLOSINGS)
        if found is None:
            return None
        at, closing = found
        if _in_code(self._before + self._held[:at]):
            return self._take_answer(at + len(closing))
        reasoning, self._held = self._held[:at], self._held[at + len(closing) :]
        reasoning, taken_back = self._before + reasoning, bool(self._before)
        self._before, self._may_begin = "", True
        self.reasoned, self.opened_in_prompt = True, bool(reasoning.strip())
        return Piece(reasoning=reasoning, taken_back=taken_back)

    def _opening_line(self) -> int | None:
        """Where a line of the answer begins with an opening tag, outside of code."""
        for at in _line_starts(self._before, self._held):
            is_opening = _starts(self._held[at:], _OPENINGS)
            if is_opening and not _in_code(self._before + self._held[:at]):
                return at
        return None

    def _block(self, at: int) -> Piece | None:
        """A block of reasoning amid the answer; what has no end is no block."""
        if at:
            return self._take_answer(at)
        opening = _starts(self._held, _OPENINGS)
        assert opening is not None
        end = _find(self._held, _OPENINGS[opening])
        if end < 0:
            return None
        reasoning = self._held[len(opening) : end]
        self._held = self._held[end + len(_OPENINGS[opening]) :]
        self.reasoned = self._may_begin = True
        return Piece(reasoning=reasoning)


def _joined(first: Piece, second: Piece) -> Piece:
    answer = second.answer if second.taken_back else first.answer + second.answer
    return Piece(answer, first.reasoning + second.reasoning, first.taken_back or second.taken_back)


def _lower(text: str) -> str:
    """``text`` with ASCII letters in lower case, so that no length changes."""
    return text.translate(_LOWER)


def _find(text: str, tag: str) -> int:
    return _lower(text).find(_lower(tag))


def _first(text: str, tags: Sequence[str]) -> tuple[int, str] | None:
    found = [(at, tag) for tag in tags if (at := _find(text, tag)) >= 0]
    return min(found, default=None)


def _starts(text: str, tags: dict[str, str]) -> str | None:
    """The longest of ``tags`` that ``text`` begins with."""
    start = _lower(text[:64])
    return max((tag for tag in tags if start.startswith(_lower(tag))), key=len, default=None)


def _partial(text: str, tags: Sequence[str]) -> int:
    """How many of the last characters of ``text`` may begin one of ``tags``."""
    lowered = [_lower(tag) for tag in tags]
    end = _lower(text[-max(map(len, tags)) :])
    for length in range(len(end), 0, -1):
        if any(len(tag) > length and tag.startswith(end[-length:]) for tag in lowered):
            return length
    return 0


def _tail(text: str, tag: str) -> int:
    """How many of the last characters of ``text`` may be ``tag`` and the space around it."""
    bare = text.rstrip()
    is_whole = _lower(bare).endswith(_lower(tag))
    rest = bare[: -len(tag)] if is_whole else text[: len(text) - _partial(text, [tag])]
    return len(text) - len(rest.rstrip())


def _cut_end(text: str, tag: str) -> str:
    return text[: -len(tag)].rstrip() if _lower(text).endswith(_lower(tag)) else text


def _line_starts(before: str, text: str) -> list[int]:
    first = [0] if not before or before.endswith("\n") else []
    return first + [at + 1 for at, character in enumerate(text) if character == "\n"]


def _in_code(before: str) -> bool:
    """Whether what follows ``before`` stands in code of Markdown."""
    return before.count("```") % 2 == 1 or before.rpartition("\n")[2].count("`") % 2 == 1
