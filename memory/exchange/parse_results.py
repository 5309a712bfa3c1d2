"""What a reader finds in a file: episodes and problems."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid5

from personaagent.core.records import Episode

NAMESPACE = UUID("6f1f8a0e-6e0e-5f7c-9d83-3d1d9f5f2f10")


@dataclass(frozen=True)
class ParsedEpisode:
    """An episode of the file; ``digest`` tells two contents of one id apart."""

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
    """16 bytes that stand for the content."""
    return sha256(content).digest()[:16]


def derived_id(content: str) -> str:
    """The id of an episode that comes without one: the same for the same content (32 hex digits)."""
    return uuid5(NAMESPACE, content).hex
