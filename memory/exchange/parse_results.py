"""What parsing an import file yields: episodes and problems."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid5

from personaagent.core.records import Episode

NAMESPACE = UUID("6f1f8a0e-6e0e-5f7c-9d83-3d1d9f5f2f10")


@dataclass(frozen=True)
class ParsedEpisode:
    """An episode of the file; ``digest`` tells whether two with the same id are the same."""

    where: str
    episode: Episode
    digest: bytes


@dataclass(frozen=True)
class ParseProblem:
    """What is wrong with a part of the file, and ``where`` ("line 3", "conversation 2")."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def digest(content: bytes) -> bytes:
    """A hash of the content, 16 bytes."""
    return sha256(content).digest()[:16]


def derived_id(content: str) -> str:
    """An id for an episode that has none: the same for the same content (32 hex digits)."""
    return uuid5(NAMESPACE, content).hex
