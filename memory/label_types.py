"""What kind of labels a task has: numbers, classes, or free text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from personaagent.memory.label_counts import LabelCounts, is_short

LabelTypeName = Literal["numbers", "labels", "text"]

SPOKEN = 3
"""Free texts of which the length is worth telling."""
MOST_LABELS = 200
OPTION = re.compile(r"\[\w{1,2}\]")
LARGEST = 1e100
"""Beyond it, sums and squares may overflow; no user means such a number."""


@dataclass(frozen=True)
class LabelType:
    """The kind of a task's labels; the distinct short ones (at most 200), most frequent first.

    ``lowest`` and ``highest`` are those of the numbers, 0 where they are none.
    """

    kind: LabelTypeName
    labels: list[str]
    lowest: float = 0.0
    highest: float = 0.0


def label_type_of(tally: LabelCounts) -> LabelType:
    """The labels of a task are read as numbers if all are numbers; as classes if they are short
    (at most 4 words) and some repeat, or may yet do so (the first two of a named task); else as
    free text.
    """
    labels = [label for label in ranked(tally) if is_short(label)]
    if numbers := as_numbers([*tally.counts]):
        return LabelType("numbers", labels[:MOST_LABELS], min(numbers), max(numbers))
    return LabelType("labels" if _are_classes(tally) else "text", labels[:MOST_LABELS])


def are_options(tally: LabelCounts) -> bool:
    """Whether the labels only mark an option of their question, as ``[1]`` does.

    What stands first among the options is chance: how often it was chosen tells nothing of the
    user.
    """
    return all(OPTION.fullmatch(token) for token in tally.counts)


def ranked(tally: LabelCounts) -> dict[str, int]:
    """The tokens with their counts, most frequent first."""
    return dict(sorted(tally.counts.items(), key=lambda pair: (-pair[1], pair[0])))


def as_numbers(tokens: Sequence[str]) -> list[float]:
    """The numbers that the tokens are; none unless all are."""
    try:
        numbers = [float(token) for token in tokens if is_short(token)]
    except ValueError:
        return []
    all_are = len(numbers) == len(tokens) and all(abs(each) < LARGEST for each in numbers)
    return numbers if all_are else []  # float() reads "nan" and "infinity"


def _are_classes(tally: LabelCounts) -> bool:
    short = all(map(is_short, tally.counts))
    repeat = tally.count > len(tally.counts)
    return short and (repeat or (tally.task is not None and tally.count < SPOKEN))
