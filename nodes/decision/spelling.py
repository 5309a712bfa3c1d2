"""Which answer a label or a reply names, whatever its case, width and punctuation."""

from collections.abc import Sequence

from personaagent.nodes.alignment.answer_scores import bare_label


class AnswerOf:
    """Finds the answer that a text is: by its bare spelling, of numbers by their value."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = {_key(answer): answer for answer in reversed(answers)}

    def get(self, text: str) -> str | None:
        """The answer that ``text`` is and nothing more; None if it is none."""
        return self._answers.get(_key(text))


def _key(text: str) -> str:
    bare = bare_label(text)
    try:
        return f"{float(bare):g}"
    except ValueError:
        return bare
