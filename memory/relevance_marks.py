"""The user's marks: an episode did not bear on a question."""

from dataclasses import dataclass

from personaagent.core.errors import Conflict
from personaagent.core.ids import short_id
from personaagent.core.records import MOST_MARKS, Episode, mark_of
from personaagent.core.text import check_text
from personaagent.memory.episode_writes import value_write
from personaagent.memory.episodes import Episodes
from personaagent.memory.journal import ChangedMarks, Journal, JournalEntry
from personaagent.memory.locks import Lock
from personaagent.memory.user_store import UserStore

QUESTION_CHARS = 32_000


@dataclass(frozen=True)
class RelevanceMarks:
    """Writes the marks of one user's episodes; ``irrelevance.py`` says what they do.

    Alignment and summary do not learn from marks, so writing one does not notify the followers of the
    episodes. ``lock`` is that of the episodes.
    """

    episodes: Episodes
    store: UserStore
    lock: Lock

    async def mark(self, episode_id: str, question: str, *, relevant: bool) -> Episode:
        """Note that the episode did not bear on ``question``, or that it does after all.

        Of many marks the latest count. To mark it again has no effect.

        Raises:
            UnknownEpisode: the user has no such episode.
            UsageError: the question is empty or too long, or cannot be stored.
        """
        mark = mark_of(check_text(question, "question", QUESTION_CHARS))
        async with self.lock():
            before = await self.episodes.get(episode_id)
            others = [each for each in before.irrelevant_to if each != mark]
            marks = others if relevant else [*others, mark][-MOST_MARKS:]
            if relevant == (mark not in before.irrelevant_to):
                return before
            episode = before.model_copy(update={"irrelevant_to": marks})
            change = ChangedMarks(
                episode=episode.id, before=before.irrelevant_to, after=episode.irrelevant_to
            )
            entry = JournalEntry(kind="relevance", marks=change)
            noted = await Journal(self.store).adding(entry)
            await self.store.write([value_write(episode), *noted])
            return episode

    async def restore(self, entry: JournalEntry) -> None:
        """Take the marks back that this change made.

        Raises:
            Conflict: there were others since, or the episode was forgotten; nothing was restored.
        """
        change = entry.marks
        assert change is not None
        async with self.lock():
            episode = next(iter(await self.episodes.find([change.episode])), None)
            if episode is None or episode.irrelevant_to != change.after:
                raise Conflict(
                    f"What episode {short_id(change.episode)} is irrelevant to was changed since, or "
                    "the episode was forgotten: this cannot be undone."
                )
            restored = episode.model_copy(update={"irrelevant_to": change.before})
            writes = await Journal(self.store).removing(entry.key)
            await self.store.write([value_write(restored), *writes])
