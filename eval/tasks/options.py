"""How an answer to a question with options is read, the same for every method."""

import re

from personaagent.eval.samples import Query
from personaagent.eval.tasks.protocol import Task


def chosen(text: str, marks: str, options: list[str]) -> int | None:
    """Which of ``options`` the answer chooses; ``marks`` has a character for each of them.

    Models say more than they were asked for. It counts what they mark: ``[1]``, ``<choice>B``,
    "Option B", or a mark with which the answer begins ("2.", "B)"); where they mark none, the
    option whose whole text stands in the answer. None where that is no option, or several.
    """
    mark = f"([{marks}])"
    said = {
        found[found.lastindex or 0]
        for found in re.finditer(
            rf"\[{mark}\]|<choice>\W*{mark}"
            rf"|\b(?i:option|choice|reference|answer)(?i: is)?\W*{mark}(?![\w'-])"
            rf"|^\W*{mark}(?=\s*$|[.):\],<])",
            text,
        )
    }
    if said:
        return marks.index(said.pop()) if len(said) == 1 else None
    answer = _folded(text)
    written = [place for place, option in enumerate(options) if _folded(option) in answer]
    return written[0] if len(written) == 1 else None


def meant(task: Task, question: Query, read: str | None) -> str | None:
    """The text of the option that an answer means, so that both orders can be compared."""
    if read is not None and read in task.labels:
        return question.options[list(task.labels).index(read)]
    return read


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
