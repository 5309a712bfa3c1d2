"""Random entries of the index, and searches for them.

Vectors are of length 1; terms have the frequencies of natural language (Zipf's law).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from filled_home import DIMENSION

from personaagent.memory.index.protocol import Entry, Passage

TERMS, VOCABULARY = 12, 30_000

Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Search:
    """What is searched for."""

    dense: Vectors
    terms: dict[int, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Search":
        """A search that nobody has made before."""
        return cls(random_vectors(rng, 1)[0], _terms(rng))


def random_entries(
    rng: np.random.Generator, vectors: Vectors, start: int, prefix: str = ""
) -> Iterator[Entry]:
    """An entry for each vector, numbered from ``start``."""
    for number, vector in enumerate(vectors, start):
        passage = Passage("query", 0, 60, vector.tolist(), _terms(rng))
        yield Entry(f"{prefix}e{number}", float(number), None, [passage])


def random_vectors(rng: np.random.Generator, count: int) -> Vectors:
    """``count`` vectors of length 1, each a row."""
    vectors = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _terms(rng: np.random.Generator) -> dict[int, float]:
    ranks = (VOCABULARY ** rng.random(TERMS)).astype(int)
    hashes = (ranks * 2_654_435_761) % (1 << 32)
    return {int(term): 1.0 for term in hashes}
