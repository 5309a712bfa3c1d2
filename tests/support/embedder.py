"""An embedding model for tests: bags of hashed words, so that shared words are near."""

import math
import zlib
from collections.abc import Sequence

SIZE = 64


class BagEmbedder:
    """An ``Embedder`` whose vectors are counts of hashed words, unit length."""

    def __init__(self, name: str = "bag-of-words") -> None:
        self.name = name
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return [_bag(text) for text in texts]

    async def ready(self) -> None:
        """Always."""

    async def aclose(self) -> None:
        """Nothing is open."""


def _bag(text: str) -> list[float]:
    counts = [0.0] * SIZE
    for word in text.lower().split():
        counts[zlib.crc32(word.strip(".,?!:").encode()) % SIZE] += 1.0
    length = math.sqrt(sum(count * count for count in counts)) or 1.0
    return [count / length for count in counts]
