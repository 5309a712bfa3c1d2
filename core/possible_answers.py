"""The possible answers that a caller gives with a question."""

from collections.abc import Sequence

from personaagent.core.errors import UsageError
from personaagent.core.text import check_text

MOST_ANSWERS = 200
ANSWER_CHARS = 200


def check_answers(answers: Sequence[str]) -> tuple[str, ...]:
    """The possible answers of a question, without spaces around them; none is fine.

    Raises:
        UsageError: there is only one, there are too many, one is empty or too long, or two are the
            same but for case.
    """
    stripped = tuple(check_text(each.strip(), "answer", ANSWER_CHARS) for each in answers)
    if len(stripped) == 1:
        raise UsageError("Give at least two possible answers, or none.")
    if len(stripped) > MOST_ANSWERS:
        raise UsageError(f"These are {len(stripped)} answers; at most {MOST_ANSWERS} are possible.")
    if len({each.casefold() for each in stripped}) < len(stripped):
        raise UsageError("Two of the possible answers are the same: give each of them once.")
    return stripped
