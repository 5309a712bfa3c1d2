"""An embedder that caches vectors, so that every solver of a run uses those of the others."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from personaagent.models.embeddings import Embedder

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, np.dtype[np.float32]]

MAX_TEXTS = 32_768
"""At 384 dimensions 50 MB."""


class CachingEmbedder:
    """Asks ``embedder`` for each text once, and keeps the latest ``most_texts`` vectors.

    If a text is being embedded for one caller, the others wait for it. The embedder is not closed.
    """

    def __init__(self, embedder: Embedder, most_texts: int = MAX_TEXTS) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._cache: LRUCache[str, tuple[asyncio.Task[Vectors], int]] = LRUCache(most_texts)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``Embedder.embed``."""
        places = {text: self._cache.get(text) for text in texts}
        if new := [text for text, place in places.items() if place is None]:
            batch = asyncio.create_task(self._embed(new))
            places |= {text: (batch, row) for row, text in enumerate(new)}
            self._cache.update((text, (batch, row)) for row, text in enumerate(new))
            batch.add_done_callback(self._drop_failed)
        vectors = {}
        for text, place in places.items():
            assert place is not None
            batch, row = place
            # A caller that is cancelled must not take the vectors from the others.
            vectors[text] = (await asyncio.shield(batch))[row].tolist()
        return [vectors[text] for text in texts]

    async def ready(self) -> None:
        """As ``Embedder.ready``."""
        await self._embedder.ready()

    async def aclose(self) -> None:
        """Do nothing: the owner of the embedder closes it."""

    async def _embed(self, texts: list[str]) -> "Vectors":
        import numpy as np

        return np.asarray(await self._embedder.embed(texts), dtype=np.float32)

    def _drop_failed(self, batch: "asyncio.Task[Vectors]") -> None:
        if batch.cancelled() or batch.exception() is not None:
            for text in [text for text, (task, _) in self._cache.items() if task is batch]:
                del self._cache[text]
