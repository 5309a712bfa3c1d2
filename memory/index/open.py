"""Which index the settings ask for."""

import re

from personaagent.core.settings import Settings
from personaagent.memory.index.edge import EdgeIndex
from personaagent.memory.index.protocol import EpisodeIndex

INDEX_FOLDER = "index"
"""Where in the data folder the command and the library keep the embedded index."""


def open_index(settings: Settings, embeddings: str, folder: str = INDEX_FOLDER) -> EpisodeIndex:
    """The index for vectors of the embedding model named ``embeddings``; nothing is opened yet.

    A Qdrant server where ``qdrant_url`` is set, else a shard in ``folder`` of the data folder. Each
    embedding model has a collection of its own, since vectors of two models cannot be compared.
    """
    name = re.sub(r"[^a-z0-9]+", "-", embeddings.lower()).strip("-")
    if settings.qdrant_url is None:
        return EdgeIndex(settings.home / folder / name, wait=settings.index_wait)

    from qdrant_client import AsyncQdrantClient

    from personaagent.memory.index.server import QdrantIndex

    key = settings.qdrant_api_key
    client = AsyncQdrantClient(
        url=settings.qdrant_url,
        api_key=key.get_secret_value() if key else None,
        timeout=max(1, round(settings.recall_timeout)),
        check_compatibility=False,
    )
    return QdrantIndex(client, f"personaagent-{name}")
