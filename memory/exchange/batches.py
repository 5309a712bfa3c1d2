"""The episodes of a file that was checked, in batches; and which of them are new."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from personaagent.core.records import Episode
from personaagent.memory.exchange.import_file import parse
from personaagent.memory.exchange.parse_results import LeftOut, ParseProblem
from personaagent.memory.user import UserMemory

BATCH = 512
BATCH_CHARS = 4_000_000


class Changed(Exception):
    """The file has a problem that it did not have when it was checked."""


def batches(file: BinaryIO, user_id: str) -> Iterator[list[Episode]]:
    """All episodes, 512 at a time, or fewer if their answers are long.

    Raises:
        Changed: the file was changed since it was checked.
    """
    batch: list[Episode] = []
    chars = 0
    for item in parse(file, user_id):
        if isinstance(item, ParseProblem):
            raise Changed
        if isinstance(item, LeftOut):
            continue
        batch.append(item.episode)
        chars += len(item.episode.response)
        if len(batch) >= BATCH or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


async def not_stored(memory: UserMemory, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes that are not stored yet, each once."""
    by_id = {episode.id: episode for episode in reversed(episodes)}
    stored = {episode.id for episode in await memory.episodes.find(list(by_id))}
    return [episode for episode in reversed(by_id.values()) if episode.id not in stored]
