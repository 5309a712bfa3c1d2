"""The local embedding model, by fastembed."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.core.errors import DataError
from personaagent.models.catalog import EMBEDDINGS, find_model
from personaagent.models.download import OnPull, ensure
from personaagent.models.embeddings import CachedEmbedder
from personaagent.models.packages import check_packages

if TYPE_CHECKING:
    from fastembed import TextEmbedding

BATCH = 32
CORES = min(os.cpu_count() or 1, 4)


class LocalEmbedder(CachedEmbedder):
    """all-MiniLM-L6-v2 by fastembed: 384 dimensions, texts cut at 256 tokens.

    Its files are pulled on first use where they are missing.
    """

    def __init__(self, home: Path, on_pull: OnPull = lambda name, done, total: None) -> None:
        model = find_model(EMBEDDINGS)
        super().__init__(f"{model.name}@{model.fingerprint[:8]}")
        self._home = home
        self._on_pull = on_pull
        self._loading = asyncio.Lock()
        self._cores = asyncio.Semaphore(CORES)
        self._model: TextEmbedding | None = None

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Texts of like length share a batch, since its longest text sets the cost of all in it."""
        model = await self._loaded()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        computed = await asyncio.gather(
            *(self._embed_batch(model, [texts[i] for i in batch]) for batch in batches)
        )
        by_position = dict(zip(order, chain.from_iterable(computed), strict=True))
        return [by_position[i] for i in range(len(texts))]

    async def _embed_batch(self, model: "TextEmbedding", texts: list[str]) -> list[list[float]]:
        async with self._cores:
            return await asyncio.to_thread(_embed, model, texts)

    async def _loaded(self) -> "TextEmbedding":
        async with self._loading:
            if self._model is None:
                check_packages(EMBEDDINGS)
                folder = await ensure(EMBEDDINGS, self._home, partial(self._on_pull, EMBEDDINGS))
                self._model = await asyncio.to_thread(_load, folder)
        return self._model

    async def ready(self) -> None:
        """Have the model in memory."""
        await self._loaded()

    async def aclose(self) -> None:
        """Nothing is open but the model, which goes with this object."""


def _load(folder: Path) -> "TextEmbedding":
    from fastembed import TextEmbedding

    try:
        return TextEmbedding(
            f"sentence-transformers/{EMBEDDINGS}",
            cache_dir=str(folder),
            specific_model_path=str(folder),
            local_files_only=True,
            threads=1,  # a batch a core instead: idle threads of the runtime's own would spin
        )
    except Exception as error:  # onnxruntime's and tokenizers' have no base in common
        raise DataError(
            f"The embedding model in {folder} cannot be loaded ({error}): delete that folder and "
            f"run `personaagent model pull {EMBEDDINGS}`."
        ) from error


def _embed(model: "TextEmbedding", texts: list[str]) -> list[list[float]]:
    return [vector.tolist() for vector in model.embed(texts, batch_size=BATCH)]
