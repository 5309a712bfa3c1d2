"""Counts of a user's labels by task, so that facts can be computed without reading the episodes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from heapq import nlargest
from typing import NamedTuple

from personaagent.core.records import Episode, Record

MAX_LABEL_WORDS = 4
MAX_LATEST = 128


class Label(NamedTuple):
    """One label: when it was given (Unix seconds), the episode's id, and its token."""

    at: float
    id: str
    token: str


class LabelCounts(Record):
    """The labels of one task: how often each token occurs, and the latest 128, newest first.

    The *token* of a label is its text if that has at most 4 words; otherwise only the number of
    its words.
    """

    task: str | None
    counts: dict[str, int]
    latest: list[Label]

    @property
    def count(self) -> int:
        """How many labels there are."""
        return sum(self.counts.values())


def count_labels(episodes: Iterable[Episode]) -> list[LabelCounts]:
    """The counts of each task over those of ``episodes`` that have a label."""
    by_task: dict[str | None, list[Label]] = defaultdict(list)
    for episode in episodes:
        if episode.labelled:
            label = Label(episode.created_at.timestamp(), episode.id, token_of(episode))
            by_task[episode.task].append(label)
    return [
        LabelCounts(
            task=task,
            counts=Counter(label.token for label in labels),
            latest=nlargest(MAX_LATEST, labels),
        )
        for task, labels in by_task.items()
    ]


def subtract(all_counts: Iterable[LabelCounts], hidden: Collection[Episode]) -> list[LabelCounts]:
    """The counts without the labels of the ``hidden`` episodes, all of which they include."""
    remaining = [
        _subtract(counts, [episode for episode in hidden if episode.task == counts.task])
        for counts in all_counts
    ]
    return [counts for counts in remaining if counts.counts]


def words_in(token: str) -> int:
    """How many words the label of this ``token`` has."""
    return len(token.split()) if is_short(token) else int(token)


def is_short(token: str) -> bool:
    """Whether ``token`` is the text of the label itself."""
    return not token.startswith(" ")


def token_of(episode: Episode) -> str:
    """The token of the episode's label."""
    text = (episode.ground_truth or "").strip()
    words = len(text.split())
    # A stripped text never begins with a space, so the label "7" and seven words differ.
    return text if words <= MAX_LABEL_WORDS else f" {words}"


def _subtract(counts: LabelCounts, hidden: Sequence[Episode]) -> LabelCounts:
    tokens = {label.id: label.token for label in counts.latest}
    hidden_tokens = Counter(
        tokens.get(episode.id, token_of(episode))
        for episode in hidden
        if episode.labelled or episode.id in tokens
    )
    hidden_ids = {episode.id for episode in hidden}
    return LabelCounts(
        task=counts.task,
        counts=Counter(counts.counts) - hidden_tokens,
        latest=[label for label in counts.latest if label.id not in hidden_ids],
    )
