"""Reads the answer to a query with options, in the same way for every solver."""

import re

from personaagent.eval.samples import Query
from personaagent.eval.tasks.protocol import Task

BOTH_ORDERS = "both_orders"
"""The score of a query whose options were asked in both orders: the mean of both answers."""


def chosen_option(text: str, marks: str, options: list[str]) -> int | None:
    """The index of the option that the answer chooses; ``marks`` has one character for each option.

    Models write more than they were asked for. What counts is a mark: ``[1]``, ``<choice>B``,
    "Option B", or a mark at the start of the answer ("2.", "B)"). Without any mark, the option whose
    whole text is in the answer counts. None if no option or several options are chosen.
    """
    mark = f"([{marks}])"
    pattern = (
        rf"\[{mark}\]|<choice>\W*{mark}"
        rf"|\b(?i:option|choice|reference|answer)(?i: is)?\W*{mark}(?![\w'-])"
        rf"|^\W*{mark}(?=\s*$|[.):\],<])"
    )
    marked = {match[match.lastindex or 0] for match in re.finditer(pattern, text)}
    if marked:
        return marks.index(marked.pop()) if len(marked) == 1 else None
    answer = _normalised(text)
    quoted = [index for index, option in enumerate(options) if _normalised(option) in answer]
    return quoted[0] if len(quoted) == 1 else None


def option_text(task: Task, query: Query, answer: str | None) -> str | None:
    """The text of the option that a read answer names, to compare answers in both orders."""
    if answer is not None and answer in task.labels:
        return query.options[list(task.labels).index(answer)]
    return answer


def _normalised(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
