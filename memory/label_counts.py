"""Tallies: how often each label was given, so that facts need not read the episodes again."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from heapq import nlargest
from typing import NamedTuple

from personaagent.core.records import Episode, Record

LABEL_WORDS = 4
LATEST = 128


class Label(NamedTuple):
    """What the user wanted once: when (Unix seconds), the episode's id, and the token of it."""

    at: float
    id: str
    token: str


class LabelCounts(Record):
    """The labels of one task: how often each token was given, and the latest 128, newest first.

    The *token* of a label is its text where that has at most 4 words, else only their number.
    """

    task: str | None
    counts: dict[str, int]
    latest: list[Label]

    @property
    def count(self) -> int:
        """How many labels there are."""
        return sum(self.counts.values())


def tally(episodes: Iterable[Episode]) -> list[LabelCounts]:
    """A tally of each task over the labelled ones of ``episodes``."""
    by_task: dict[str | None, list[Label]] = defaultdict(list)
    for episode in episodes:
        if episode.labelled:
            label = Label(episode.created_at.timestamp(), episode.id, _token_of(episode))
            by_task[episode.task].append(label)
    return [
        LabelCounts(
            task=task,
            counts=Counter(label.token for label in labels),
            latest=nlargest(LATEST, labels),
        )
        for task, labels in by_task.items()
    ]


def without(tallies: Iterable[LabelCounts], hidden: Collection[Episode]) -> list[LabelCounts]:
    """The tallies as they are without the ``hidden`` episodes, all of which they have counted."""
    left = [
        _subtract(each, [episode for episode in hidden if episode.task == each.task])
        for each in tallies
    ]
    return [each for each in left if each.counts]


def words_in(token: str) -> int:
    """How many words the label has that ``token`` stands for."""
    return len(token.split()) if is_short(token) else int(token)


def is_short(token: str) -> bool:
    """Whether ``token`` is the label itself."""
    return not token.startswith(" ")


def _token_of(episode: Episode) -> str:
    text = (episode.ground_truth or "").strip()
    words = len(text.split())
    # No stripped text begins with a space, so that "7" and seven words are never the same.
    return text if words <= LABEL_WORDS else f" {words}"


def _subtract(tally: LabelCounts, hidden: Sequence[Episode]) -> LabelCounts:
    tokens = {label.id: label.token for label in tally.latest}
    gone = Counter(
        tokens.get(episode.id, _token_of(episode))
        for episode in hidden
        if episode.labelled or episode.id in tokens
    )
    ids = {episode.id for episode in hidden}
    return LabelCounts(
        task=tally.task,
        counts=Counter(tally.counts) - gone,
        latest=[label for label in tally.latest if label.id not in ids],
    )
