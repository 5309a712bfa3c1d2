"""The possible answers as the prompt of a bare choice lists them."""

from personaagent.core.decision import ClosedQuestion
from personaagent.nodes.decision.listed import listed_labels


def possible_answers(question: ClosedQuestion, query: str) -> str:
    """The answers in a line, a line each for those that would run together; not those that ``query``
    itself lists as a long list."""
    if [*map(str.casefold, question.answers)] == [*map(str.casefold, listed_labels(query))]:
        return "those listed above"
    separator = "\n" if any("," in answer for answer in question.answers) else ", "
    return separator.join(question.answers)
