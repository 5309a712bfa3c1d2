"""Opens the index that the settings name, for a store that does not hold the index itself."""

import re
from pathlib import Path

from personaagent.core.settings import Settings
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.index.sqlite import SqliteIndex


def open_index(settings: Settings, embeddings: str, file: Path | None = None) -> EpisodeIndex:
    """The index for vectors of the embedding model ``embeddings``. It opens on first use.

    It is on the Qdrant server at ``qdrant_url`` if that is set (each model has its own collection),
    otherwise in ``file``, or in memory.

    Raises:
        ConfigurationError: the proxy that the environment names for that server cannot be used.
    """
    if settings.qdrant_url is None:
        return SqliteIndex(file)

    from qdrant_client import AsyncQdrantClient

    from personaagent.memory.index.server import QdrantIndex
    from personaagent.models.connection import trusted
    from personaagent.models.proxies import proxy_for

    name = re.sub(r"[^a-z0-9]+", "-", embeddings.lower()).strip("-")
    key = settings.qdrant_api_key
    client = AsyncQdrantClient(
        url=settings.qdrant_url,
        api_key=key.get_secret_value() if key else None,
        timeout=max(1, round(settings.recall_timeout)),
        check_compatibility=False,
        proxy=proxy_for(settings.qdrant_url),
        trust_env=False,
        verify=trusted(),
    )
    return QdrantIndex(client, f"personaagent-{name}")
