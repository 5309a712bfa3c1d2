"""Embedding models: a small local one, or one of the endpoint's."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cachetools import LRUCache

from personaagent.core.errors import ConfigurationError, DataError, ModelError
from personaagent.core.settings import Settings
from personaagent.models.catalog import EMBEDDINGS, find_model
from personaagent.models.download import OnPull, ensure

if TYPE_CHECKING:
    import httpx2
    from fastembed import TextEmbedding
    from langchain_openai import OpenAIEmbeddings

BATCH = 32
CORES = min(os.cpu_count() or 1, 4)
RECENT = 512
OPENAI_PREFIX = "openai:"


class Embedder(Protocol):
    """Texts to vectors; ``name`` changes when vectors of old and new cannot be compared."""

    name: str

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of unit length a text, in the texts' order.

        Raises:
            ModelError: the model or its endpoint failed (ModelUnavailable: try again).
            ConfigurationError: the endpoint refuses the key or does not know the model.
            DownloadError, DataError: the local model could not be fetched or read.
        """

    async def ready(self) -> None:
        """Load what has to be loaded, pulling it where it is missing: the one slow moment.

        Raises:
            DownloadError, DataError: the local model could not be fetched or read.
        """

    async def aclose(self) -> None:
        """Close what is open."""


class RecentEmbedder(ABC):
    """An embedder that remembers the texts it lately embedded."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._recent: LRUCache[str, list[float]] = LRUCache(RECENT)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``Embedder.embed``; a turn asks for its query more than once, and pays once."""
        known = {text: self._recent[text] for text in texts if text in self._recent}
        if missing := [text for text in dict.fromkeys(texts) if text not in known]:
            made = dict(zip(missing, await self._vectors(missing), strict=True))
            self._recent.update(made)
            known |= made
        return [known[text].copy() for text in texts]

    @abstractmethod
    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of at least one text."""


class LocalEmbedder(RecentEmbedder):
    """all-MiniLM-L6-v2 by fastembed: 384 dimensions, texts cut at 256 tokens.

    Its files are pulled at the first use where they are missing.
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
        """Batches of like length, as the longest text of a batch sets the cost of all in it."""
        model = await self._loaded()
        vectors: list[list[float]] = [[]] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))

        async def fill(batch: list[int]) -> None:
            async with self._cores:
                made = await asyncio.to_thread(_embed, model, [texts[i] for i in batch])
            for i, vector in zip(batch, made, strict=True):
                vectors[i] = vector

        await asyncio.gather(
            *(fill(order[start : start + BATCH]) for start in range(0, len(order), BATCH))
        )
        return vectors

    async def _loaded(self) -> "TextEmbedding":
        async with self._loading:
            if self._model is None:
                folder = await ensure(EMBEDDINGS, self._home, partial(self._on_pull, EMBEDDINGS))
                self._model = await asyncio.to_thread(_load, folder)
        return self._model

    async def ready(self) -> None:
        """Have the model in memory."""
        await self._loaded()

    async def aclose(self) -> None:
        """Nothing is open but the model, which goes with this object."""


class EndpointEmbedder(RecentEmbedder):
    """An embedding model of the OpenAI-compatible endpoint."""

    def __init__(self, model: str, settings: Settings) -> None:
        super().__init__(f"{OPENAI_PREFIX}{model}")
        self._model = model
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._client: OpenAIEmbeddings | None = None
        self._http: httpx2.AsyncClient | None = None

    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        import numpy as np
        import openai

        from personaagent.models.invoke import UNREADABLE, to_our_error

        try:
            vectors = np.asarray(await self._ask(list(texts)), dtype=np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        except (openai.OpenAIError, TimeoutError, *UNREADABLE) as error:
            raise to_our_error(error, "embedding", self._settings.model_retries) from error
        if len(vectors) != len(texts) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ModelError(
                f"The endpoint's {self._model} gave no usable vectors for {len(texts)} texts: "
                "set PERSONAAGENT_EMBEDDINGS to another model."
            )
        unit: list[list[float]] = (vectors / lengths).tolist()
        return unit

    async def ready(self) -> None:
        """An endpoint is always as ready as it will be."""

    async def aclose(self) -> None:
        """Close the connections."""
        self._client = None
        if self._http is not None:
            await self._http.aclose()

    async def _ask(self, texts: list[str]) -> list[list[float]]:
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
        return await self._client.aembed_documents(texts)

    def _connect(self) -> "OpenAIEmbeddings":
        from langchain_openai import OpenAIEmbeddings
        from pydantic import SecretStr

        from personaagent.models.chat import endpoint_of
        from personaagent.models.connection import http_client

        settings = self._settings
        base_url, key = endpoint_of(settings)
        self._http = http_client(settings.model_timeout)
        return OpenAIEmbeddings(
            model=self._model,
            base_url=base_url,
            api_key=SecretStr(key),
            timeout=self._http.timeout,
            max_retries=settings.model_retries,
            http_async_client=self._http,
            check_embedding_ctx_length=False,  # else tokens are sent, which others do not read
            chunk_size=BATCH,
        )


def make_embedder(settings: Settings, on_pull: OnPull = lambda name, done, total: None) -> Embedder:
    """The embedder that ``settings.embeddings`` names; nothing is loaded or opened yet.

    Raises:
        ConfigurationError: no such embedder, or an endpoint's without an endpoint.
    """
    name = settings.embeddings
    if name == EMBEDDINGS:
        return LocalEmbedder(settings.home, on_pull)
    model = name.removeprefix(OPENAI_PREFIX).strip()
    if not name.startswith(OPENAI_PREFIX) or not model:
        raise ConfigurationError(
            f"PERSONAAGENT_EMBEDDINGS is {name!r}; it can be {EMBEDDINGS} or {OPENAI_PREFIX}NAME."
        )
    if settings.embedded:
        raise ConfigurationError(
            f"PERSONAAGENT_EMBEDDINGS is {name}, but no endpoint is set: set OPENAI_API_KEY or "
            f"OPENAI_BASE_URL, or use {EMBEDDINGS}."
        )
    return EndpointEmbedder(model, settings)


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
