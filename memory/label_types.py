"""The type of a task's labels: numbers, classes, or free text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from personaagent.memory.label_counts import LabelCounts, is_short

LabelTypeName = Literal["numbers", "labels", "text"]

MIN_TEXTS = 3
"""From this many free texts on, their length means something."""
MAX_LABELS = 200
OPTION = re.compile(r"\[\w{1,2}\]")
MAX_NUMBER = 1e100
"""Above it, sums and squares could overflow; no user means such a number."""


@dataclass(frozen=True)
class LabelType:
    """The type of a task's labels, and the distinct short ones (at most 200), most frequent first.

    ``lowest`` and ``highest`` are those of the numbers, and 0 where the labels are not numbers.
    """

    kind: LabelTypeName
    labels: list[str]
    lowest: float = 0.0
    highest: float = 0.0


def label_type_of(counts: LabelCounts) -> LabelType:
    """Numbers if all labels are numbers; classes if all are short (at most 4 words) and some
    repeat, or may still do so (the first two of a named task); otherwise free text.
    """
    labels = [label for label in by_frequency(counts) if is_short(label)][:MAX_LABELS]
    if numbers := as_numbers([*counts.counts]):
        return LabelType("numbers", labels, min(numbers), max(numbers))
    return LabelType("labels" if _are_classes(counts) else "text", labels)


def are_options(counts: LabelCounts) -> bool:
    """Whether the labels only mark an option of their question, as ``[1]`` does.

    The order of options is chance: how often the first was chosen says nothing about the user.
    """
    return all(OPTION.fullmatch(token) for token in counts.counts)


def by_frequency(counts: LabelCounts) -> dict[str, int]:
    """The tokens with their counts, most frequent first."""
    return dict(sorted(counts.counts.items(), key=lambda pair: (-pair[1], pair[0])))


def as_numbers(tokens: Sequence[str]) -> list[float]:
    """The tokens as numbers; empty unless all of them are numbers."""
    try:
        numbers = [float(token) for token in tokens if is_short(token)]
    except ValueError:
        return []
    # float() also reads "nan" and "infinity".
    finite = all(abs(number) < MAX_NUMBER for number in numbers)
    return numbers if finite and len(numbers) == len(tokens) else []


def _are_classes(counts: LabelCounts) -> bool:
    short = all(map(is_short, counts.counts))
    repeated = counts.count > len(counts.counts)
    return short and (repeated or (counts.task is not None and counts.count < MIN_TEXTS))
