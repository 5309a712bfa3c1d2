"""Hiding: episodes that a run must not see, since it is judged by them."""

from dataclasses import dataclass
from datetime import datetime

from personaagent.core.records import Episode


@dataclass(frozen=True)
class Hidden:
    """The episodes of these ids, and every episode from the moment ``before`` on (UTC)."""

    episodes: frozenset[str] = frozenset()
    before: datetime | None = None

    def __bool__(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.episodes) or self.before is not None

    def hides(self, episode: Episode) -> bool:
        """Whether ``episode`` must not be seen."""
        late = self.before is not None and episode.created_at >= self.before
        return late or episode.id in self.episodes


NOTHING = Hidden()
