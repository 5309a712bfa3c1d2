"""Embedding models: a small local one, or one of the endpoint's."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
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


class CachedEmbedder(ABC):
    """An embedder that keeps the vectors of the texts it embedded last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._cache: LRUCache[str, list[float]] = LRUCache(CACHED_TEXTS)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``Embedder.embed``; a turn embeds its query more than once, and pays once."""
        vectors = {text: self._cache[text] for text in texts if text in self._cache}
        if missing := [text for text in dict.fromkeys(texts) if text not in vectors]:
            computed = dict(zip(missing, await self._vectors(missing), strict=True))
            self._cache.update(computed)
            vectors |= computed
        return [vectors[text].copy() for text in texts]

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
