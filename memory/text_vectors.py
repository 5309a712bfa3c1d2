"""Vectors of short texts that come again each turn, such as the statements of a profile."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cachetools import LRUCache

from personaagent.models.embeddings import Embedder, text_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_TEXTS = 8192
"""At 384 dimensions 12 MB."""


class TextVectors:
    """Embeds each text once, and keeps the vectors of the latest ``most_texts``.

    Only a hash of a text is kept with its vector: a text that a user has forgotten must not stay.
    """

    def __init__(self, embedder: Embedder, most_texts: int = MOST_TEXTS) -> None:
        self._embedder = embedder
        self._cache: LRUCache[bytes, NDArray[np.float32]] = LRUCache(most_texts)

    async def of(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row of unit length a text, in the texts' order.

        Raises:
            ServiceError, ConfigurationError, DataError: as ``Embedder.embed`` raises them.
        """
        import numpy as np

        keys = [text_key(text) for text in texts]
        rows = {key: self._cache[key] for key in keys if key in self._cache}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
        if missing:
            computed = np.asarray(await self._embedder.embed([*missing.values()]), np.float32)
            rows |= zip(missing, computed, strict=True)
            self._cache.update(rows)
        return np.stack([rows[key] for key in keys])
