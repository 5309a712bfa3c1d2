"""Reasoning that a model writes into its text: taken out, however the text is cut into pieces.

Endpoints that know the model send reasoning beside the answer. Others pass on what it wrote:
``<think>...</think>`` before the answer, or only the end of that where the chat template has already
written the beginning into the prompt.
"""

from dataclasses import dataclass

from personaagent.models.reasoning_tags import (
    CLOSINGS,
    FRAMES,
    OPENINGS,
    begun,
    cut_end,
    find,
    first_of,
    starting,
    tail,
)

OPENING_LINES = tuple(f"\n{opening}" for opening in OPENINGS)


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
            rest = cut_end(rest.rstrip(), self._frame)
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
        at = find(self._held, closing)
        if at < 0:
            return self._take_reasoning(len(self._held) - begun(self._held, [closing]))
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
        if opening := starting(self._held.lstrip(), OPENINGS):
            self._open(opening)
            return Piece()
        if (found := first_of(self._held, CLOSINGS)) is None:
            return None
        at, closing = found
        reasoning, self._held = self._held[:at], self._held[at + len(closing) :]
        self._unopened, self.reasoned = False, True
        return Piece(reasoning=reasoning)

    def _open(self, opening: str) -> None:
        self._held = self._held.lstrip()[len(opening) :]
        self._closing, self._unopened, self.reasoned = OPENINGS[opening], False, True

    def _beginning(self) -> Piece | None:
        """Before the answer: reasoning, a frame around the answer, or the answer itself."""
        text = self._held.lstrip()
        if opening := starting(text, OPENINGS):
            self._open(opening)
            return Piece()
        if self.reasoned and (frame := starting(text, FRAMES)):
            self._frame, self._held = FRAMES[frame], text[len(frame) :]
            return Piece()
        expected = [*OPENINGS, *(FRAMES if self.reasoned and not self._frame else ())]
        if begun(text, expected) == len(text):
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
        held = begun(self._held, OPENING_LINES if self.reasoned else (*CLOSINGS, *OPENING_LINES))
        if self._frame:
            held = max(held, tail(self._held, self._frame))
        return self._take_answer(len(self._held) - held)

    def _take_answer(self, length: int) -> Piece | None:
        if length <= 0:
            return None
        answer, self._held = self._held[:length], self._held[length:]
        self._before += answer
        return Piece(answer)

    def _bare_closing(self, block: int | None) -> Piece | None:
        """A closing tag before ``block``, where one begins: all before it was reasoning."""
        found = first_of(self._held[:block], CLOSINGS)
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
            is_opening = starting(self._held[at:], OPENINGS)
            if is_opening and not _in_code(self._before + self._held[:at]):
                return at
        return None

    def _block(self, at: int) -> Piece | None:
        """A block of reasoning amid the answer; what has no end is no block."""
        if at:
            return self._take_answer(at)
        opening = starting(self._held, OPENINGS)
        assert opening is not None
        end = find(self._held, OPENINGS[opening])
        if end < 0:
            return None
        reasoning = self._held[len(opening) : end]
        self._held = self._held[end + len(OPENINGS[opening]) :]
        self.reasoned = self._may_begin = True
        return Piece(reasoning=reasoning)


def _joined(first: Piece, second: Piece) -> Piece:
    answer = second.answer if second.taken_back else first.answer + second.answer
    return Piece(answer, first.reasoning + second.reasoning, first.taken_back or second.taken_back)


def _line_starts(before: str, text: str) -> list[int]:
    first = [0] if not before or before.endswith("\n") else []
    return first + [at + 1 for at, character in enumerate(text) if character == "\n"]


def _in_code(before: str) -> bool:
    """Whether what follows ``before`` stands in code of Markdown."""
    return before.count("```") % 2 == 1 or before.rpartition("\n")[2].count("`") % 2 == 1
