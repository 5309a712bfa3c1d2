"""Answers that a question lists itself: marked options, a list in brackets, a scale of numbers."""

import re
from string import ascii_uppercase

from personaagent.nodes.decision.defaults import LONGEST_SCALE

Option = tuple[str, str]
"""The mark that an answer gives, and what the option says."""

MOST_OPTIONS = 10
LABEL_WORDS = 4
_BRACKETED = re.compile(
    r"(?:(?:^|\n)\[(?P<name>\w{1,2})\]:?|(?<=\s)\[(?P<inline>\w{1,2})\]:)\s*(?=\S)"
)
_LETTERED = re.compile(
    r"(?:^|\n|(?<=\s))(?P<open>\()?(?:(?P<name>[A-J])(?P<inline>))(?(open)\)|[).:])\s+(?=\S)"
)
_LIST = re.compile(r"\[([^\[\]\n]{3,2000})\]")
_NUMBERS = re.compile(r"(?<![\w.])\d+(?:, ?\d+)+,? (?:or|oder|ou|o|of|eller) \d+(?!\w|\.\d)")
_SCALE = re.compile(
    r"(?:scale|from|skala|von|de|da|van|från|escala|échelle)\D{0,12}?(\d+) ?"
    r"(?:to|-|–|bis|à|a|tot|till|til|al?) ?(\d+)(?!\w|\.\d)",
    re.IGNORECASE,
)


def listed_options(query: str) -> list[Option]:
    """The options that ``query`` marks as ``[1]: ...`` or ``A) ...``; empty if it has fewer than two."""
    return _options(query, _BRACKETED, "[{}]") or _options(query, _LETTERED, "{}")


def before_options(query: str) -> str:
    """What ``query`` says before its first option."""
    starts = [m.start() for pattern in (_BRACKETED, _LETTERED) for m in pattern.finditer(query)]
    return query[: min(starts, default=len(query))]


def listed_labels(query: str) -> list[str]:
    """The labels of a list such as ``[comedy, action, classic]`` in ``query``; empty without one."""
    for match in _LIST.finditer(query):
        labels = [label.strip().strip("\"'") for label in match[1].split(",")]
        short = all(0 < len(label.split()) <= LABEL_WORDS for label in labels)
        if len(labels) > 1 and short and len(set(labels)) == len(labels):
            return labels
    return []


def without_list(query: str) -> str:
    """``query`` without the labels that it lists: they are near to each of the labels."""
    return _LIST.sub(" ", query) if listed_labels(query) else query


def listed_numbers(query: str) -> list[str]:
    """The numbers of "1, 2, 3, 4, or 5", or of "a scale of 1 to 5", in ``query``."""
    if match := _NUMBERS.search(query):
        return re.findall(r"\d+", match[0])
    if match := _SCALE.search(query):
        low, high = int(match[1][:6]), int(match[2][:6])
        if 0 < high - low <= LONGEST_SCALE:
            return [str(number) for number in range(low, high + 1)]
    return []


def _options(query: str, pattern: re.Pattern[str], mark: str) -> list[Option]:
    """The options whose marks run from the first on without a gap: 1, 2, 3 or A, B, C."""
    found: list[tuple[str, re.Match[str]]] = []
    for match in pattern.finditer(query):
        name = match["name"] or match["inline"]
        if len(found) < MOST_OPTIONS and name in _marks(len(found)):
            found.append((mark.format(name), match))
    ends = [*(match.start() for _, match in found[1:]), len(query)]
    options = [
        (name, _text(query[match.end() : end]))
        for (name, match), end in zip(found, ends[: len(found)], strict=True)
    ]
    return options if len(options) > 1 and all(text for _, text in options) else []


def _marks(place: int) -> tuple[str, str]:
    return str(place + 1), ascii_uppercase[place]


def _text(text: str) -> str:
    """An option's own text: what follows a blank line belongs to the question."""
    return text.strip().split("\n\n")[0].strip()
