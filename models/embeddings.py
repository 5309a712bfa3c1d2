"""Embedding models: a small local one, or one of the endpoint's."""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from cachetools import LRUCache

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings
from personaagent.models.catalog import EMBEDDINGS
from personaagent.models.download import OnPull

CACHED_TEXTS = 512
OPENAI_PREFIX = "openai:"


class Embedder(Protocol):
    """Texts to vectors; another ``name`` means that the vectors cannot be compared with the old ones."""

    name: str

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of unit length a text, in the texts' order.

        Raises:
            ModelError: the model or its endpoint failed (ModelUnavailable: try again).
            ConfigurationError: the endpoint refuses the key or does not know the model.
            DownloadError, DataError: the local model could not be fetched or read.
        """
        ...

    async def ready(self) -> None:
        """Load what has to be loaded, and pull it first where it is missing: the one slow step.

        Raises:
            DownloadError, DataError: the local model could not be fetched or read.
        """

    async def aclose(self) -> None:
        """Close what is open."""


def text_key(text: str) -> bytes:
    """What stands for a text in a cache that must not hold the text itself."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


class CachedEmbedder(ABC):
    """An embedder that keeps the vectors of the texts it embedded last.

    Of a text only a hash stays with its vector: a text that a user has forgotten must not.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._cache: LRUCache[bytes, list[float]] = LRUCache(CACHED_TEXTS)
        self._computing: dict[bytes, asyncio.Future[None]] = {}

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``Embedder.embed``; a turn embeds its query more than once, and pays once.

        A text that is being embedded already is waited for.
        """
        keys = {text: text_key(text) for text in texts}
        if computing := {self._computing[key] for key in keys.values() if key in self._computing}:
            await asyncio.wait(computing)
        vectors = {text: self._cache[key] for text, key in keys.items() if key in self._cache}
        if missing := [text for text in keys if text not in vectors]:
            vectors |= await self._compute({text: keys[text] for text in missing})
        return [vectors[text].copy() for text in texts]

    async def _compute(self, keys: Mapping[str, bytes]) -> dict[str, list[float]]:
        """The vectors of the texts that have these ``keys``, which the cache then has."""
        done = asyncio.get_running_loop().create_future()
        self._computing |= dict.fromkeys(keys.values(), done)
        try:
            vectors = dict(zip(keys, await self._vectors([*keys]), strict=True))
            self._cache.update({keys[text]: vector for text, vector in vectors.items()})
            return vectors
        finally:
            for key in keys.values():
                self._computing.pop(key, None)
            done.set_result(None)

    @abstractmethod
    async def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of at least one text."""


def make_embedder(settings: Settings, on_pull: OnPull = lambda name, done, total: None) -> Embedder:
    """The embedder that ``settings.embeddings`` names; nothing is loaded or opened yet.

    Raises:
        ConfigurationError: no such embedder, or an endpoint's without an endpoint.
    """
    from personaagent.models.endpoint_embeddings import EndpointEmbedder
    from personaagent.models.local_embeddings import LocalEmbedder

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
