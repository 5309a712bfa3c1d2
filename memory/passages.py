"""Passages: the stretches of an episode's text that recall can find by themselves."""

from personaagent.core.records import Episode
from personaagent.memory.index.protocol import Part


def passages(episode: Episode) -> list[tuple[Part, int, int, str]]:
    """The passages of ``episode``: part, start and end (characters), and the text itself."""
    return [("query", 0, len(episode.query), episode.query)]
