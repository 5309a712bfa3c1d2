"""What parsing an import file yields: episodes, problems, and what is left out."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID, uuid5

from personaagent.core.audience import audience_text
from personaagent.core.records import Episode

NAMESPACE = UUID("6f1f8a0e-6e0e-5f7c-9d83-3d1d9f5f2f10")


@dataclass(frozen=True)
class ParsedEpisode:
    """An episode of the file; ``digest`` tells whether two with the same id are the same.

    ``strict``: it is a line of our own, where a repeated id is an error.
    """

    where: str
    episode: Episode
    digest: bytes
    strict: bool = False


@dataclass(frozen=True)
class ParseProblem:
    """What is wrong with a part of the file, and ``where`` ("line 3"): nothing is imported."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class LeftOut:
    """What of another program's export is not imported, and why: all else is."""

    where: str
    why: str
    kind: Literal["conversation", "message"] = "conversation"

    def __post_init__(self) -> None:
        object.__setattr__(self, "why", audience_text(self.why))

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


Parsed = ParsedEpisode | ParseProblem | LeftOut


def digest(content: bytes) -> bytes:
    """A hash of the content, 16 bytes."""
    return sha256(content).digest()[:16]


def derived_id(content: str) -> str:
    """An id for an episode that has none: the same for the same content (32 hex digits)."""
    return uuid5(NAMESPACE, content).hex
