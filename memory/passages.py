"""Passages: the stretches of an episode's text that recall can find by themselves."""

import re
from collections.abc import Collection, Iterator
from operator import itemgetter
from typing import NamedTuple

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Part, PassageSpan
from personaagent.memory.terms import UNSPACED, terms

Span = tuple[int, int]
"""Where a stretch begins and ends (characters)."""

WHOLE = 600
"""A text up to this length is one passage: a prompt shows it whole, an embedding reads it whole."""
WINDOW = 400
"""Length of the passages of a longer text: about 100 tokens, as a fact in a long passage is lost."""
ANSWER_WINDOW = 800
"""Likewise of a long response, as an import embeds many: about 200 tokens of the 256 that are read."""
MOST = 64
"""Most passages of one text: those of a longer one are longer."""
DENSE_SCRIPT = 3
"""A character of a script without spaces says as much as this many letters."""
NEAREST = "nearest_passage"
"""Where the metadata of a recalled episode, not of a stored one, name its nearest passage."""
_SENTENCE = re.compile(r".+?(?:[.!?…][\"')\]]*(?=\s)|[。！？．।]|\n|\Z)\s*", re.DOTALL)
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Stretch(NamedTuple):
    """A passage: where it stands (characters), the text to embed, and the text whose words count."""

    part: Part
    start: int
    end: int
    embedded: str
    matched: str


def passages(episode: Episode, differs: Span | None = None) -> list[Stretch]:
    """The passages of ``episode``.

    The query is one passage. A long query has several, and a long response too: stretches of
    sentences, each beginning with the last sentence of the one before. Of a query that shares an
    instruction with others, only what ``differs`` is embedded; by its words, the instruction can
    still be found.
    """
    found = _query_passages(episode.query, differs or (0, len(episode.query)))
    response = episode.response
    if len(response) > WHOLE // _scale(response):
        for start, end in spans(response, ANSWER_WINDOW):
            text = response[start:end]
            found.append(Stretch("response", start, end, text, text))
    return found


def _query_passages(query: str, differs: Span) -> list[Stretch]:
    first, last = differs
    places = [(first + start, first + end) for start, end in spans(query[first:last])]
    if len(places) == 1:
        return [Stretch("query", 0, len(query), query[first:last], query)]
    return [
        Stretch(
            "query", start, end, query[start:end], _with_instruction(query, differs, start, end)
        )
        for start, end in places
    ]


def _with_instruction(query: str, differs: Span, start: int, end: int) -> str:
    """The text from ``start`` to ``end``, with the instructions that it stands beside."""
    first, last = differs
    return query[0 if start == first else start : len(query) if end == last else end]


def with_nearest(episode: Episode, passage: PassageSpan, asked: Collection[int]) -> Episode:
    """The episode as it is recalled: with the passage that is nearest to the query, unless that is
    its query as a whole.

    ``passage`` has the best score, ``asked`` are the terms that the user asks with. A passage of an
    answer that the user did not accept counts only if it holds what is asked for and not in the
    query: else the agent would repeat its own mistakes.
    """
    whole: PassageSpan = ("query", 0, len(episode.query))
    unconfirmed = passage[0] == "response" and episode.signal != "accept"
    if passage == whole or unconfirmed:
        passage = _answering(episode, asked) or whole
    if passage == whole and NEAREST not in episode.metadata:
        return episode
    metadata = {key: value for key, value in episode.metadata.items() if key != NEAREST}
    if passage != whole:
        metadata[NEAREST] = [*passage]
    return episode.model_copy(update={"metadata": metadata})


def nearest(episode: Episode) -> PassageSpan | None:
    """The passage of a recalled episode that is nearest to the query; None if that is its query."""
    match episode.metadata.get(NEAREST):
        case [("query" | "response") as part, int(start), int(end)] if 0 <= start < end:
            return part, start, end
    return None


def found_by_answer(episode: Episode) -> bool:
    """Whether what is nearest to the query stands in the response."""
    passage = nearest(episode)
    return passage is not None and passage[0] == "response"


def nearest_text(episode: Episode) -> str:
    """The text of the passage that is nearest to the query."""
    part, start, end = nearest(episode) or ("query", 0, len(episode.query))
    return text_of(episode, part)[start:end]


def text_of(episode: Episode, part: Part) -> str:
    """The text that passages of ``part`` are stretches of."""
    return episode.query if part == "query" else episode.response


def spans(text: str, longest: int = WINDOW) -> list[Span]:
    """The passages of a text. Together they cover all of it; at most ``MOST``."""
    scale = _scale(text)
    if len(text) <= WHOLE // scale:
        return [(0, len(text))]
    window = max(longest // scale, -(-2 * len(text) // MOST))
    return [*_windows([*_sentences(text, window // 2)], window)]


def _answering(episode: Episode, asked: Collection[int]) -> PassageSpan | None:
    """The passage of the response that has most of what is asked for and not in the query: at least
    half of it, and two terms. None if the query has nothing of what is asked for, or if the user
    corrected or rejected the response."""
    short = len(episode.response) <= WHOLE // _scale(episode.response)
    if short or episode.signal in ("edit", "reject"):
        return None
    about = set(asked) & terms(episode.query).keys()
    missing = set(asked) - about
    if not about or len(missing) < 2:
        return None
    counted: list[tuple[int, PassageSpan]] = [
        (len(missing & terms(episode.response[start:end]).keys()), ("response", start, end))
        for start, end in spans(episode.response)
    ]
    most, best = max(counted, key=itemgetter(0))
    return best if most >= max(2, len(missing) / 2) else None


def _windows(sentences: list[Span], window: int) -> Iterator[Span]:
    """Join sentences to stretches of at most ``window`` characters, which overlap by a sentence."""
    start, previous, end = sentences[0][0], *sentences[0]
    for sentence_start, sentence_end in sentences[1:]:
        if sentence_end - start > window:
            yield start, end
            start = previous if sentence_end - previous <= window else sentence_start
        previous, end = sentence_start, sentence_end
    yield start, end


def _sentences(text: str, longest: int) -> Iterator[Span]:
    """The sentences; one that is too long is cut, after a word if there is one."""
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        while end - start > longest:
            space = text.rfind(" ", start + longest // 2, start + longest)
            cut = space + 1 if space >= 0 else start + longest
            yield start, cut
            start = cut
        yield start, end


def _scale(text: str) -> int:
    """How many letters a character of the text stands for."""
    sample = text[:WHOLE]
    return DENSE_SCRIPT if 2 * len(_UNSPACED.findall(sample)) > len(sample) else 1
