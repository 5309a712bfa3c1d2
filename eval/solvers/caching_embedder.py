"""An embedder for a run: what one method has had embedded, the next need not pay for."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from personaagent.models.embeddings import Embedder

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, np.dtype[np.float32]]

MOST_TEXTS = 32_768
"""At 384 dimensions 50 MB."""


class CachingEmbedder:
    """``embedder``, which it neither owns nor closes, asked for each text once.

    A text that is being embedded for one caller is waited for by the others. The latest
    ``most_texts`` are kept.
    """

    def __init__(self, embedder: Embedder, most_texts: int = MOST_TEXTS) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._kept: LRUCache[str, tuple[asyncio.Task[Vectors], int]] = LRUCache(most_texts)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``Embedder.embed``."""
        wanted = {text: self._kept.get(text) for text in texts}
        if new := [text for text, kept in wanted.items() if kept is None]:
            batch = asyncio.create_task(self._embed(new))
            wanted |= {text: (batch, row) for row, text in enumerate(new)}
            self._kept.update((text, (batch, row)) for row, text in enumerate(new))
            batch.add_done_callback(self._drop_failed)
        vectors = {}
        for text, place in wanted.items():
            assert place is not None
            batch, row = place
            # One caller that gives up does not take the vectors from the others.
            vectors[text] = (await asyncio.shield(batch))[row].tolist()
        return [vectors[text] for text in texts]

    async def ready(self) -> None:
        """As ``Embedder.ready``."""
        await self._embedder.ready()

    async def aclose(self) -> None:
        """Nothing: who made the embedder closes it."""

    async def _embed(self, texts: list[str]) -> "Vectors":
        import numpy as np

        return np.asarray(await self._embedder.embed(texts), dtype=np.float32)

    def _drop_failed(self, batch: "asyncio.Task[Vectors]") -> None:
        if batch.cancelled() or batch.exception() is not None:
            for text in [text for text, (task, _) in self._kept.items() if task is batch]:
                del self._kept[text]
