"""Hiding: episodes that a run must not see, because it is evaluated on them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from personaagent.core.records import Episode


@dataclass(frozen=True)
class Hidden:
    """The episodes with these ids, and every episode created at or after ``before`` (UTC)."""

    episodes: frozenset[str] = frozenset()
    before: datetime | None = None

    def also(self, episodes: Collection[str]) -> "Hidden":
        """What is hidden, and these episodes too."""
        return replace(self, episodes=self.episodes.union(episodes)) if episodes else self

    def __bool__(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.episodes) or self.before is not None

    def hides(self, episode: Episode) -> bool:
        """Whether ``episode`` must not be seen."""
        return self.hides_time(episode.created_at) or episode.id in self.episodes

    def hides_time(self, moment: datetime | None) -> bool:
        """Whether what was written at ``moment`` must not be seen; False if that is not known."""
        return self.before is not None and moment is not None and moment >= self.before


NOTHING_HIDDEN = Hidden()
