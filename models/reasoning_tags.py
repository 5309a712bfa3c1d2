"""The tags around reasoning that a model writes into its text, found without regard to case."""

import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

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

FRAMES = {
    "<answer>": "</answer>",
    "<|START_RESPONSE|>": "<|END_RESPONSE|>",
    "<|begin_of_solution|>": "<|end_of_solution|>",
}
"""What some of them put around the answer after it."""

OPENINGS = dict(_TAGS)
"""The closing tag of each opening one."""

CLOSINGS = tuple(dict.fromkeys(closing for _, closing in _TAGS))
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _lower(text: str) -> str:
    """``text`` with ASCII letters in lower case, so that no length changes."""
    return text.translate(_LOWER)


_lowered_tag = cache(_lower)


def find(text: str, tag: str) -> int:
    """Where ``tag`` stands first in ``text``; -1 if nowhere."""
    return _lower(text).find(_lowered_tag(tag))


def first_of(text: str, tags: Sequence[str]) -> tuple[int, str] | None:
    """The first of ``tags`` in ``text``, and where it stands."""
    lowered = _lower(text)
    found = [(at, tag) for tag in tags if (at := lowered.find(_lowered_tag(tag))) >= 0]
    return min(found, default=None)


def starting(text: str, tags: Mapping[str, str]) -> str | None:
    """The longest of ``tags`` that ``text`` begins with."""
    start = _lower(text[:64])
    return max((tag for tag in tags if start.startswith(_lowered_tag(tag))), key=len, default=None)


def begun(text: str, tags: Iterable[str]) -> int:
    """How many of the last characters of ``text`` may begin one of ``tags``."""
    beginnings, longest = _beginnings(tuple(tags))
    end = _lower(text[-longest:])
    return next((length for length in range(len(end), 0, -1) if end[-length:] in beginnings), 0)


@cache
def _beginnings(tags: tuple[str, ...]) -> tuple[frozenset[str], int]:
    """All that the tags may begin with, but are not whole, in lower case; and how long that is at most."""
    found = {_lowered_tag(tag)[:length] for tag in tags for length in range(1, len(tag))}
    return frozenset(found), max(map(len, found))


def tail(text: str, tag: str) -> int:
    """How many of the last characters of ``text`` may be ``tag`` and the space around it."""
    bare = text.rstrip()
    is_whole = _lower(bare).endswith(_lower(tag))
    rest = bare[: -len(tag)] if is_whole else text[: len(text) - begun(text, [tag])]
    return len(text) - len(rest.rstrip())


def cut_end(text: str, tag: str) -> str:
    """``text`` without ``tag`` at its end."""
    return text[: -len(tag)].rstrip() if _lower(text).endswith(_lower(tag)) else text
