"""Exact metrics: how near a simulated answer comes to what the user wanted, without a model.

Each gives a score in [0, 1] and one line why; None is *unscored*: nothing can be said.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any

from personaagent.core.alignment import Metric
from personaagent.core.settings import TextMetric
from personaagent.memory.label_types import LabelType

Score = tuple[float | None, str]

ANSWER_WORDS = 12
"""The longest answer in which a label is looked for; in a longer one it may be said in passing."""
OVERLAP_WORDS = 1000
"""Words compared by ROUGE-L, whose time grows with the product of both lengths."""

_AROUND = " \t\n.,;:!?*_`'\"‘’“”„‚‹›«»()[]{}<>。，！？"
_NUMBER = re.compile(r"(?<!\w)[-−]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)")
_WORD = re.compile(r"[^\W_]+")


def metric_of(
    task: str | None, kinds: Mapping[str | None, LabelType], text_metric: TextMetric
) -> Metric:
    """The metric of a task: exact for labels and numbers, ``text_metric`` for free text."""
    match kinds[task].kind if task in kinds else "text":
        case "labels":
            return "label"
        case "numbers":
            return "number"
        case _:
            return text_metric


def exact(metric: Metric, simulated: str | None, expected: str, kind: LabelType | None) -> Score:
    """The score by an exact metric; ``kind`` is the task's, which labels and numbers need.

    Raises:
        ValueError: the metric is not exact, or has no ``kind``.
    """
    if not (simulated or "").strip():
        return None, "nothing was simulated"
    assert simulated is not None
    if metric == "rouge":
        return rouge_score(simulated, expected)
    if metric == "label" and kind is not None:
        return label_score(simulated, expected, kind.labels)
    if metric == "number" and kind is not None:
        return number_score(simulated, expected, kind.lowest, kind.highest)
    raise ValueError(f"no exact score by {metric!r}, or no kind of task")


def label_score(simulated: str, expected: str, labels: Sequence[str]) -> Score:
    """1 if ``simulated`` is the expected label, or says it and no other of ``labels``; else 0.

    Case, width, quotes and punctuation around do not count. A label is looked for as whole words
    in answers of at most 12 words, so that "Tag: comedy." is right and "dark comedy" is not.
    """
    wanted, answer = _bare(expected), _bare(simulated)
    if not wanted:
        return None, "the expected label is empty"
    if answer == wanted:
        return 1.0, "the same label"
    if len(answer.split()) > ANSWER_WORDS:
        return 0.0, "a text where a label was wanted"
    said = set(_any_of({wanted, *map(_bare, labels)}).findall(answer))
    if said == {wanted}:
        return 1.0, "says the label and no other"
    return 0.0, "more than one label" if wanted in said else "another label"


def said_label(answer: str, labels: Sequence[str]) -> str | None:
    """The one of ``labels`` that ``answer`` is or says, read as ``label_score`` reads it."""
    by_bare = {_bare(label): label for label in labels}
    bare = _bare(answer)
    if bare in by_bare:
        return by_bare[bare]
    said = set(_any_of(set(by_bare)).findall(bare)) if len(bare.split()) <= ANSWER_WORDS else set()
    return by_bare[said.pop()] if len(said) == 1 else None


def number_score(simulated: str, expected: str, lowest: float, highest: float) -> Score:
    """1 less the distance of the first number in ``simulated``, as a share of the user's range.

    The range is that from ``lowest`` to ``highest``, ``expected`` included, and at least 1.
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
    if not _WORD.search(expected):
        return None, "the expected text has no words"
    overlap = _rouge().score(expected, simulated)["rougeL"].fmeasure
    return float(overlap), f"ROUGE-L {overlap:.2f}"


class _Words:
    """The tokenizer of rouge-score, which knows ASCII only, for letters of any script."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(_folded(text))[:OVERLAP_WORDS]


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # imports nltk

    return RougeScorer(["rougeL"], tokenizer=_Words())


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _bare(text: str) -> str:
    """``text`` without what may stand around a label; as it is, if there is nothing else."""
    folded = _folded(text)
    return folded.strip(_AROUND) or folded


def _any_of(labels: set[str]) -> re.Pattern[str]:
    """Each of ``labels`` as whole words, the longest first: "dark comedy" says no "comedy"."""
    longest_first = sorted(filter(None, labels), key=lambda label: (-len(label), label))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def number_in(text: str) -> float | None:
    """The number that ``text`` is, else the first in it; None if there is none to reckon with."""
    try:
        number = float(text)
    except ValueError:
        found = _NUMBER.search(unicodedata.normalize("NFKC", text))
        number = float(_plain(found[0])) if found else float("nan")
    return number if isfinite(number) else None


def _plain(number: str) -> str:
    """ "1,250.5" and "3,5" as ``float`` reads them."""
    thousands = re.fullmatch(r"[-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", number)
    return number.replace("−", "-").replace(",", "" if thousands else ".")
