"""How much of the person is in an answer, without a model: Persona-F1, and faithfulness."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[^\W_]+")


def persona_f1(answer: str, own: Iterable[str]) -> float:
    """The highest F1 of the answer's content words with those of one of the user's own texts.

    With W_a and W_u the sets of words of both that are no stop words, precision is the share of
    W_a that is in W_u, recall the share of W_u that is in W_a: the F1 by which Lian et al. (IJCAI
    2019) compare a response with knowledge, taken, as Ma et al. (SIGIR 2021) do, with what the
    user wrote earlier. The highest over the texts, so that it does not sink with their number.
    0 where either has no words.
    """
    words = content_words(answer)
    return max((_f1(words, content_words(text)) for text in own), default=0.0)


def faithfulness(answer: str, sources: Iterable[str]) -> float | None:
    """The share of the answer's content words that stand in ``sources``; None where it has none.

    The coverage of Grusky et al. (NAACL 2018), over the set of content words: what is in neither
    the question nor the user's history, the model has made up.
    """
    words = content_words(answer)
    if not words:
        return None
    known = set().union(*(content_words(source) for source in sources))
    return len(words & known) / len(words)


def content_words(text: str) -> set[str]:
    """The words of ``text``, in lower case and any script, that are no English stop words."""
    return {word for word in _WORD.findall(text.casefold()) if word not in _stop_words()}


def _f1(answer: set[str], own: set[str]) -> float:
    return 2 * len(answer & own) / (len(answer) + len(own)) if answer and own else 0.0


@cache
def _stop_words() -> frozenset[str]:
    lines = Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(" ".join(line for line in lines if not line.startswith("#")).split())
