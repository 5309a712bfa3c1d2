"""Passages: the stretches of an episode's text that recall can find by themselves."""

import re
from collections.abc import Iterator

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Part
from personaagent.memory.terms import UNSPACED

Span = tuple[int, int]
"""Where a stretch begins and ends (characters)."""

WHOLE = 600
"""A text up to this length is one passage: a prompt shows it whole, an embedding reads it whole."""
WINDOW = 400
"""Length of the passages of a longer text: about 100 tokens, as a fact in a long passage is lost."""
MOST = 64
"""Most passages of one text: those of a longer one are longer."""
DENSE_SCRIPT = 3
"""A character of a script without spaces says as much as this many letters."""
_SENTENCE = re.compile(r".+?(?:[.!?…][\"')\]]*(?=\s)|[。！？．।]|\n|\Z)\s*", re.DOTALL)
_UNSPACED = re.compile(f"[{UNSPACED}]")


def passages(episode: Episode) -> list[tuple[Part, int, int, str]]:
    """The passages of ``episode``: part, start and end (characters), and the text itself.

    The query is one passage. A long query has several, and a long response too: stretches of
    sentences, each beginning with the last sentence of the one before.
    """
    texts: list[tuple[Part, str]] = [("query", episode.query)]
    if len(episode.response) > WHOLE // _scale(episode.response):
        texts.append(("response", episode.response))
    return [
        (part, start, end, text[start:end]) for part, text in texts for start, end in spans(text)
    ]


def spans(text: str) -> list[Span]:
    """The passages of a text. Together they cover all of it; at most ``MOST``."""
    scale = _scale(text)
    if len(text) <= WHOLE // scale:
        return [(0, len(text))]
    window = max(WINDOW // scale, -(-2 * len(text) // MOST))
    return [*_windows([*_sentences(text, window // 2)], window)]


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
