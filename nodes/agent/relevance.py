"""What of a profile's summary, and of the recalled episodes, bears on the question.

A statement is compared with the question by the embedding model. From both vectors the mean of texts
of their kind is taken away first (``relevance_background.py``), since all questions are somewhat
alike, and all statements; Mu and Viswanath, "All-but-the-Top", ICLR 2018. A statement also counts
if it is about the same thing as one that bears on the question:

    relevance(s) = cos(s, q) + max over other t of cos(s, t) * max(cos(t, q), 0)

It stays where that is at least ``LEAST`` standard deviations of the cosines of background pairs,
which have nothing to do with each other; so the threshold holds for other embedding models, too. It
was chosen on half of PersistBench (``benchmarks/persistbench_shown.py``).

In doubt a statement stays: one that ``always_shown`` names, texts that are not English (the default
embedding model cannot compare them), questions that are too short, and questions about memory itself.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from personaagent.core.records import Episode, Profile
from personaagent.memory.indexer import thread_of
from personaagent.memory.passages import nearest_text
from personaagent.memory.relevance_background import QUESTIONS, STATEMENTS
from personaagent.memory.terms import STOP_WORDS, terms
from personaagent.memory.text_vectors import TextVectors
from personaagent.nodes.agent.always_shown import always_shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LEAST = 0.75
"""Standard deviations of the cosines of unrelated pairs."""
LATEST_QUESTIONS = 3
"""A follow-up ("And for her?") says too little by itself."""
FEWEST_TERMS = 2
_SUBJECT = re.compile(r"^(?:the )?user(?:'s)?\s+", re.IGNORECASE)
_ABOUT_MEMORY = re.compile(
    r"\b(?:about me|know me|who (?:am i|i am)|remember|recall|forg[eo]t\w*|memor(?:y|ies)|my profile)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")


class Background(NamedTuple):
    """The mean vector of statements (``told``) and of questions (``asked``) that have nothing to do with
    each other, and the relevance from which on a statement stays."""

    told: "Vectors"
    asked: "Vectors"
    least: float


_backgrounds: WeakKeyDictionary[TextVectors, Background] = WeakKeyDictionary()


async def relevant_profile(
    profile: Profile, questions: Sequence[str], vectors: TextVectors
) -> Profile:
    """The profile with the statements that bear on the ``questions``: those of a conversation, newest last.

    Raises:
        ServiceError, ConfigurationError, DataError: nothing can be embedded now.
    """
    questions = questions[-LATEST_QUESTIONS:]
    compared = [each for each in profile.summary if not always_shown(each) and _english(each.text)]
    if not compared or not _comparable(questions[-1]):
        return profile
    left_out = await _left_out([each.text for each in compared], questions, vectors)
    shown = [each for each in profile.summary if each.text not in left_out]
    return profile.model_copy(update={"summary": shown})


async def relevant_episodes(
    episodes: Sequence[Episode], questions: Sequence[str], vectors: TextVectors
) -> list[Episode]:
    """The recalled episodes that bear on the latest of ``questions``, in their order.

    Labelled ones show what the user wants, and stay; so does what shares a word with the question,
    and a turn of the same conversation as one that stays. Errors as of ``relevant_profile``.
    """
    if not _comparable(questions[-1]):
        return [*episodes]
    asked = terms(questions[-1]).keys()
    texts = {each.id: nearest_text(each) for each in episodes if not each.labelled}
    compared = [
        text for text in texts.values() if _english(text) and not asked & terms(text).keys()
    ]
    left_out = await _left_out(compared, questions[-LATEST_QUESTIONS:], vectors) if compared else ()
    staying = [each for each in episodes if texts.get(each.id) not in left_out]
    threads = {thread_of(each) for each in staying} - {None}
    kept = {each.id for each in staying}
    return [each for each in episodes if each.id in kept or thread_of(each) in threads]


async def _left_out(
    texts: Sequence[str], questions: Sequence[str], vectors: TextVectors
) -> set[str]:
    """Those of the texts that bear on none of the questions."""
    subjects = [_SUBJECT.sub("", text) for text in texts]
    background = await _background(vectors)
    told, asked = await vectors.of(subjects), await vectors.of(questions)
    scores = relevance(_centred(told, background.told), _centred(asked, background.asked))
    return {text for text, score in zip(texts, scores, strict=True) if score < background.least}


async def _background(vectors: TextVectors) -> Background:
    """Of the model of these vectors, computed once."""
    if vectors not in _backgrounds:
        asked, told = await vectors.of(QUESTIONS), await vectors.of(STATEMENTS)
        means = told.mean(axis=0), asked.mean(axis=0)
        pairs = _centred(told, means[0]) @ _centred(asked, means[1]).T
        _backgrounds[vectors] = Background(*means, LEAST * float(pairs.std()))
    return _backgrounds[vectors]


def relevance(statements: "Vectors", questions: "Vectors") -> "NDArray[np.float32]":
    """How much each statement (n x d) bears on any of the questions (m x d), all of length 1."""
    import numpy as np

    direct = (statements @ questions.T).max(axis=1)
    alike = statements @ statements.T
    np.fill_diagonal(alike, 0.0)
    through_others = (alike * np.maximum(direct, 0.0)).max(axis=1)
    return np.asarray(direct + np.maximum(through_others, 0.0), dtype=np.float32)


def _centred(vectors: "Vectors", mean: "Vectors") -> "Vectors":
    """The vectors less this mean, at length 1."""
    import numpy as np

    less = vectors - mean
    return np.asarray(less / np.maximum(np.linalg.norm(less, axis=1, keepdims=True), 1e-9))


def _comparable(question: str) -> bool:
    """Whether the question says enough, in English, and is not about memory itself."""
    enough = len(terms(question)) >= FEWEST_TERMS
    return enough and _english(question) and _ABOUT_MEMORY.search(question) is None


def _english(text: str) -> bool:
    """Whether the text has an English function word, and letters of the Latin alphabet alone."""
    words = {word.casefold() for word in _WORD.findall(text)}
    return text.isascii() and bool(words & STOP_WORDS)
