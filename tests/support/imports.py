"""Importing small files into an agent on this machine, for tests."""

import json
from pathlib import Path
from typing import Any

from personaagent.core.records import Episode
from personaagent.core.settings import Settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.nodes.dependencies import Dependencies
from tests.support.embedder import BagEmbedder


def opened(home: Path, embedder: BagEmbedder | None = None) -> Any:
    chosen = Settings(home=home, index_wait=0)
    return open_local(chosen, Dependencies.from_settings(chosen, embedder or BagEmbedder()))


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


async def import_text(
    agent: LocalAgent, file: Path, text: str | bytes, user: str = "u"
) -> Imported:
    write(file, text if isinstance(text, bytes) else text.encode())
    return await import_episodes(agent.memory(user), file)


async def import_json(agent: LocalAgent, file: Path, *content: Any, user: str = "u") -> Imported:
    return await import_text(agent, file, "\n".join(map(json.dumps, content)), user)


async def stored(agent: LocalAgent, user: str = "u") -> list[Episode]:
    return [each async for each in agent.memory(user).episodes.oldest_first()]
