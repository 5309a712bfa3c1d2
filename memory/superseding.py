"""Which earlier episodes a correction supersedes: those that ask the same and were told otherwise."""

import re
from collections.abc import Sequence

from personaagent.core.records import Episode, mark_of


def relinked(episode: Episode, same: Sequence[Episode]) -> list[Episode]:
    """Those of ``same``, the earlier episodes that ask the same, whose link changes.

    A correction supersedes those with another answer; a link to an episode that corrects them no
    longer is taken away. A link to an episode of another question is the user's own and stays.
    """
    own = {None, episode.id, *(each.id for each in same)}
    changed = []
    for each in same:
        corrected = episode.signal == "edit" and _answer(each) != _answer(episode)
        if corrected and each.superseded_by in own - {episode.id}:
            changed.append(each.model_copy(update={"superseded_by": episode.id}))
        elif not corrected and each.superseded_by == episode.id:
            changed.append(each.model_copy(update={"superseded_by": None}))
    return changed


def normal_question(query: str) -> list[str]:
    """The words of a question, in order: two questions are the same if these are equal.

    Near-duplicates are not enough: one word more or less can make it another question, and a wrong
    link would hide what is true.
    """
    return re.findall(r"\w+", query.casefold()) or [query]


def question_key(query: str) -> str:
    """The same for two questions that are the same, as far as a mark keeps them."""
    return " ".join(normal_question(mark_of(query)))


def may_supersede(newer: Episode, older: Episode) -> bool:
    """Whether a summary may mark ``older`` as superseded by ``newer``: what the user linked, and
    what they labelled, stays theirs."""
    stands = older.superseded_by is None and newer.superseded_by is None
    return stands and not older.labelled and older.created_at < newer.created_at


def _answer(episode: Episode) -> str:
    """What the user wanted, or else what was answered."""
    return " ".join((episode.ground_truth or episode.response).casefold().split())
