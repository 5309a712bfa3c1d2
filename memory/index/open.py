"""Opens the index that the settings name."""

import re

from personaagent.core.settings import Settings
from personaagent.memory.index.edge import EdgeIndex
from personaagent.memory.index.protocol import EpisodeIndex

INDEX_FOLDER = "index"
"""The folder of the embedded index, for command and library, inside the data folder."""


def open_index(settings: Settings, embeddings: str, folder: str = INDEX_FOLDER) -> EpisodeIndex:
    """The index for vectors of the embedding model ``embeddings``. It opens on first use.

    It is on the Qdrant server at ``qdrant_url`` if that is set, otherwise in ``folder`` of the data
    folder. Each embedding model has its own, because vectors of two models cannot be compared.
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
