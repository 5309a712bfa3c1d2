"""Which of the episodes that were found come first, whatever their scores: see ``by_precedence``."""

import re
from collections.abc import Collection, Mapping, Sequence

from personaagent.core.records import Episode
from personaagent.memory.passages import found_by_answer

LONGEST_BARE_QUESTION = 200
"""Characters. A longer question tells something about the user."""
_QUESTIONS_ONLY = re.compile(r"[^.!。！\n]*(?:[?？]|か。?)")


def by_precedence(
    ranked: Sequence[Episode], successors: Mapping[str, Episode], *, answers: bool = False
) -> list[Episode]:
    """The episodes, best first: an episode that supersedes others takes the best of their ranks,
    and they stand last; before them stand the bare questions, which tell nothing.

    Args:
        ranked: the episodes that were found, best first.
        successors: by its id, each episode that supersedes one of them.
        answers: whether unconfirmed answers are shown, so that a bare question tells something.
    """
    standing: dict[str, Episode] = {}
    for episode in ranked:
        latest = _latest(episode, successors)
        standing.setdefault(latest.id, latest)
    superseded = [episode for episode in ranked if episode.id not in standing]
    by_worth = sorted(standing.values(), key=lambda each: not answers and is_bare_question(each))
    return [*by_worth, *superseded]


def is_bare_question(episode: Episode) -> bool:
    """Whether the episode has no label, its message is one short question or several, and it was not
    found by its answer."""
    text = episode.query.strip()
    return (
        not episode.labelled
        and not found_by_answer(episode)
        and len(text) <= LONGEST_BARE_QUESTION
        and _QUESTIONS_ONLY.fullmatch(text) is not None
    )


def missing_successors(episodes: Collection[Episode], known: Collection[str]) -> list[str]:
    """The ids of the episodes that supersede one of these and are not ``known``."""
    ids = {episode.superseded_by for episode in episodes if episode.superseded_by}
    return sorted(ids.difference(known))


def _latest(episode: Episode, successors: Mapping[str, Episode]) -> Episode:
    """The end of the chain of those that supersede the episode, or itself."""
    seen = {episode.id}
    while (following := successors.get(episode.superseded_by or "")) and following.id not in seen:
        episode = following
        seen.add(episode.id)
    return episode
