"""Closed questions: those whose answer comes from a set."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from personaagent.core.decision import ClosedQuestion
from personaagent.memory.label_counts import LabelCounts, is_short
from personaagent.memory.label_types import are_options, as_numbers, label_type_of
from personaagent.nodes.decision.defaults import LONGEST_SCALE
from personaagent.nodes.decision.listed import (
    Option,
    before_options,
    listed_labels,
    listed_numbers,
    listed_options,
)
from personaagent.nodes.decision.spelling import AnswerOf

Make = Callable[..., ClosedQuestion]

FEWEST_LABELS = 4
"""With fewer labels of a task nobody can say that they repeat."""
LEAST_REPEATED = 0.5
"""The share of labels that occur more than once, from which on the next will likely be one of them
too (Good and Turing: the share of those that occur once estimates the probability of a new one)."""
_ASKS_TO_CHOOSE = re.compile(
    r"\?\s*$|\b(?:which|choose|pick|select|option|answer with|prefer|better|best|correct|welche\w*"
    r"|wähle?|quel\w*|chois\w*|cuál|elige|quale|scegli|qual|escolh\w*|welke?|kies|vilke[nt]|välj"
    r"|какой|какая|какое|выбер\w*)\b|哪|选|選|どれ|どちら|선택|어느|أي|कौन",
    re.IGNORECASE,
)

_SAYS_TO_ANSWER_WITH = re.compile(
    r"\b(?:answer|reply|respond) (?:only |just )?with\b|\bantworte\w* (?:nur |bitte )*mit\b"
    r"|\brépond\w* (?:uniquement |seulement )?(?:par|avec)\b|\brespond[ea]\w* (?:solo |só )?com?n?\b"
    r"|\brispond\w* (?:solo )?con\b|\bantwoord (?:alleen )?met\b|\bsvara (?:bara )?med\b",
    re.IGNORECASE,
)


def closed_question(
    query: str,
    answers: Sequence[str],
    task: str | None,
    label_counts: LabelCounts | None,
    instruction: str = "",
) -> ClosedQuestion | None:
    """The set that the answer to ``query`` comes from; None for a question open to any answer.

    Args:
        query: the user's question.
        answers: the caller's possible answers; empty if the caller gives none.
        task: the label of the task.
        label_counts: the user's labels of this task; without a task, of the queries that share the
            instruction. None: there are none.
        instruction: what the queries of the task share.
    """
    make = partial(ClosedQuestion, task=task, instruction=instruction)
    options = _options(query)
    if answers:
        return _by_caller(list(dict.fromkeys(answers)), options, make)
    if options:
        marks, texts = zip(*options, strict=True)
        return make(kind="options", answers=[*marks], texts=[*texts])
    if label_counts is None:
        return _by_list(query, make)
    if are_options(label_counts) or (task is None and not instruction):
        return None
    return _by_labels(query, label_counts, make)


def is_given(question: ClosedQuestion, query: str, answers: Sequence[str]) -> bool:
    """Whether the question or the caller gives the set, so that no other answer is possible.

    Where only the user's labels make it, another answer may still be the right one.
    """
    listed = {*listed_labels(query), *listed_numbers(query)}
    spelling = AnswerOf([*listed])
    return bool(answers) or question.kind == "options" or all(map(spelling.get, question.answers))


def labels_repeat(counts: LabelCounts) -> bool:
    """Whether the labels of a task repeat so often that they are a set."""
    once = sum(count == 1 for count in counts.counts.values())
    return counts.count >= FEWEST_LABELS and once <= (1 - LEAST_REPEATED) * counts.count


def _by_caller(answers: list[str], options: Sequence[Option], make: Make) -> ClosedQuestion | None:
    if len(answers) < 2:
        return None
    texts = dict(options)
    if all(answer in texts for answer in answers):
        of_options = [texts[answer] for answer in answers]
        return make(kind="options", answers=answers, texts=of_options)
    kind = "numbers" if as_numbers(answers) else "labels"
    return make(kind=kind, answers=answers)


def _by_list(query: str, make: Make) -> ClosedQuestion | None:
    """The set that the question lists and says to answer with: the user has no labels yet."""
    if not _SAYS_TO_ANSWER_WITH.search(query):
        return None
    numbers = listed_numbers(query)
    answers = numbers or listed_labels(query)
    if len(answers) < 2:
        return None
    return make(kind="numbers" if numbers else "labels", answers=answers)


def _by_labels(query: str, counts: LabelCounts, make: Make) -> ClosedQuestion | None:
    """The set that the question lists, if the user's labels are of it; else the labels that repeat."""
    kind, own = label_type_of(counts), _distinct(label_type_of(counts).labels)
    listed = listed_numbers(query) if kind.kind == "numbers" else listed_labels(query)
    if own and all(map(is_short, counts.counts)) and all(map(AnswerOf(listed).get, own)):
        answers = _in_own_spelling(listed, own)
    elif kind.kind == "numbers" and labels_repeat(counts):
        answers = _scale(own)
    elif kind.kind == "labels" and labels_repeat(counts):
        answers = own
    else:
        return None
    if len(answers) < 2:
        return None
    return make(kind="numbers" if kind.kind == "numbers" else "labels", answers=answers)


def _options(query: str) -> list[Option]:
    """The options of a question that asks to choose; a list to work on is no choice."""
    options = listed_options(query)
    asks = [before_options(query), query.rsplit("\n", 1)[-1] if "\n" in query else ""]
    return options if any(_ASKS_TO_CHOOSE.search(text.strip()) for text in asks) else []


def _distinct(labels: Sequence[str]) -> list[str]:
    """The labels, most frequent first, each in the spelling that the user gives most often."""
    spelling = AnswerOf(labels)
    return list(dict.fromkeys(filter(None, map(spelling.get, labels))))


def _in_own_spelling(listed: Sequence[str], own: Sequence[str]) -> list[str]:
    spelling = AnswerOf(own)
    return [spelling.get(label) or label for label in listed]


def _scale(own: Sequence[str]) -> list[str]:
    """All whole numbers from the lowest to the highest, if they are few; else the numbers given."""
    values = sorted(map(float, own))
    whole = all(value.is_integer() for value in values)
    if not whole or values[-1] - values[0] > LONGEST_SCALE:
        return sorted(own, key=float)
    spelling = AnswerOf(own)
    every = (str(number) for number in range(int(values[0]), int(values[-1]) + 1))
    return [spelling.get(number) or number for number in every]
