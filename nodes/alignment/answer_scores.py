"""Exact scores: how near a simulated answer comes to what the user wanted, without a model.

Each function returns a score in [0, 1] and the reason in one line. A score of None means
*unscored*: the answer cannot be compared.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from math import isfinite

from personaagent.core.alignment import Metric
from personaagent.core.settings import TextMetric
from personaagent.memory.label_types import LabelType

Score = tuple[float | None, str]

ANSWER_WORDS = 12
"""The longest answer in which a label is looked for: a longer one may mention it in passing."""
OVERLAP_WORDS = 1000
"""Words compared by ROUGE-L, whose time grows with the product of both lengths."""

_AROUND = " \t\n.,;:!?*_`'\"‘’“”„‚‹›«»()[]{}<>。，！？"
_NUMBER = re.compile(r"(?<!\w)[-−]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)")
_WORD = re.compile(r"[^\W_]+")


def metric_of(
    task: str | None, label_types: Mapping[str | None, LabelType], text_metric: TextMetric
) -> Metric:
    """The metric of a task: exact for labels and numbers, ``text_metric`` for free text."""
    match label_types[task].kind if task in label_types else "text":
        case "labels":
            return "label"
        case "numbers":
            return "number"
        case _:
            return text_metric


def exact_score(
    metric: Metric, simulated: str, expected: str, label_type: LabelType | None
) -> Score:
    """The score by an exact metric; labels and numbers need the task's ``label_type``.

    Raises:
        ValueError: the metric is not exact, or the label type is missing.
    """
    if not simulated.strip():
        return None, "nothing was simulated"
    if metric == "rouge":
        return rouge_score(simulated, expected)
    if metric == "label" and label_type is not None:
        return label_score(simulated, expected, label_type.labels)
    if metric == "number" and label_type is not None:
        return number_score(simulated, expected, label_type.lowest, label_type.highest)
    raise ValueError(f"no exact score by {metric!r}, or no kind of task")


def label_score(simulated: str, expected: str, labels: Sequence[str]) -> Score:
    """1 if ``simulated`` is the expected label, or names it and no other of ``labels``; else 0.

    Case, width, and quotes and punctuation around a label are ignored. A label is looked for as
    whole words in answers of at most 12 words: "Tag: comedy." names "comedy", "dark comedy" does
    not.
    """
    wanted, answer = bare_label(expected), bare_label(simulated)
    if not wanted:
        return None, "the expected label is empty"
    if answer == wanted:
        return 1.0, "the same label"
    if len(answer.split()) > ANSWER_WORDS:
        return 0.0, "a text where a label was wanted"
    named = set(_any_of({wanted, *map(bare_label, labels)}).findall(answer))
    if named == {wanted}:
        return 1.0, "says the label and no other"
    return 0.0, "more than one label" if wanted in named else "another label"


def said_label(answer: str, labels: Sequence[str]) -> str | None:
    """The one of ``labels`` that ``answer`` is or names, read as ``label_score`` reads it."""
    by_bare = {bare_label(label): label for label in labels}
    bare = bare_label(answer)
    if bare in by_bare:
        return by_bare[bare]
    if len(bare.split()) > ANSWER_WORDS:
        return None
    named = set(_any_of(set(by_bare)).findall(bare))
    return by_bare[named.pop()] if len(named) == 1 else None


def number_score(simulated: str, expected: str, lowest: float, highest: float) -> Score:
    """``1 - |simulated - expected| / range``, at least 0, by the first number in each text.

    The range runs from ``lowest`` to ``highest`` of the user's numbers, includes ``expected``, and
    is at least 1.
    """
    wanted, answer = number_in(expected), number_in(simulated)
    if wanted is None:
        return None, "the expected number cannot be read"
    span = max(highest, wanted) - min(lowest, wanted)
    if not isfinite(span):
        return None, "the user's numbers are too far apart to compare"
    if answer is None:
        return 0.0, "no number"
    return 1 - min(1.0, abs(answer - wanted) / max(span, 1.0)), f"{answer:g} for {wanted:g}"


def rouge_score(simulated: str, expected: str) -> Score:
    """ROUGE-L F1 (Lin 2004) over the words of both, at most 1,000 of each, in any script."""
    from rapidfuzz.distance import LCSseq

    answer, wanted = _words(simulated), _words(expected)
    if not wanted:
        return None, "the expected text has no words"
    common = LCSseq.similarity(answer, wanted)
    overlap = 0.0
    if common:
        precision, recall = common / len(answer), common / len(wanted)
        overlap = 2 * precision * recall / (precision + recall)
    return overlap, f"ROUGE-L {overlap:.2f}"


def _words(text: str) -> list[str]:
    return _WORD.findall(_folded(text))[:OVERLAP_WORDS]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def bare_label(text: str) -> str:
    """``text`` folded, without quotes and punctuation around it, unless it is nothing else."""
    folded = _folded(text)
    return folded.strip(_AROUND) or folded


def _any_of(labels: set[str]) -> re.Pattern[str]:
    """A pattern of ``labels`` as whole words, the longest first: "dark comedy" is no "comedy"."""
    longest_first = sorted(filter(None, labels), key=lambda label: (-len(label), label))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def number_in(text: str) -> float | None:
    """The number that ``text`` is, else the first in it; None if there is no finite number."""
    try:
        number = float(text)
    except ValueError:
        match = _NUMBER.search(unicodedata.normalize("NFKC", text))
        number = float(_plain(match[0])) if match else float("nan")
    return number if isfinite(number) else None


def _plain(number: str) -> str:
    """ "1,250.5" and "3,5" in a form that ``float`` reads."""
    thousands = re.fullmatch(r"[-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", number)
    return number.replace("−", "-").replace(",", "" if thousands else ".")
