"""The branches of a conversation: which of its turns stand, and which were left behind.

A client that edits a message, or has it answered again, goes on from an earlier point of the
conversation: from a checkpoint, or by taking messages out of it. The turns that are not in the
messages any more were left behind; their episodes are discarded, until the user returns to them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple

from personaagent.core.records import Record
from personaagent.memory.superseding import normal_question

LATEST_TURNS = 500
"""Turns of a conversation that can be left behind; older ones stand for good."""
ALIKE = 0.7
"""From this ratio on, a message that begins an emptied conversation is an edit of an earlier one."""


class Exchange(NamedTuple):
    """A message of the user's and the final answer to it, if there is one: the ids that the client
    knows them by, and digests of the texts."""

    human: str
    answer: str
    query: str
    response: str


class Turn(Record):
    """A remembered turn of a conversation; the fields of its ``Exchange``, and

    ``episode``, under which it is remembered, ``follows``, the episode of the turn before it on its
    branch, if any, and ``at``, when it ended (Unix seconds).
    """

    episode: str
    human: str
    answer: str
    query: str
    response: str
    follows: str | None
    at: float


_SIGNS = (
    attrgetter("human", "answer", "query", "response"),
    attrgetter("query", "response"),
    attrgetter("human", "query"),
)
"""By what an exchange stands for a turn: because it is the very one; else by its texts, since a client
may send its messages anew, under other ids; else by the message, since an answer may have been edited
or taken out."""


class Branch(NamedTuple):
    """The episodes of one conversation as it stands: those that are in its messages, in their order,
    those that were ``left`` behind, and the last one before the present turn, if any.

    Neither in it nor left are those of messages that were cut from its beginning.
    """

    standing: list[str]
    left: frozenset[str]
    last: str | None


def digest(text: str) -> str:
    """What two texts have in common only if they are equal, by all likelihood."""
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def branch_of(
    turns: Sequence[Turn], exchanges: Sequence[Exchange], end: str | None = None
) -> Branch:
    """The branch that these exchanges are, which came before the user's present message.

    Args:
        turns: all that are remembered of the conversation, oldest first.
        exchanges: what its messages hold, in order.
        end: where none of the turns is in the messages: the episode of the last turn of those that
            were cut from the beginning; None: nothing was cut, the conversation begins anew.
    """
    standing = _standing(turns, exchanges)
    last = standing[-1] if standing else end
    cut = _up_to(standing[0] if standing else end, turns, {each.human for each in exchanges})
    left = {turn.episode for turn in turns}.difference(standing, cut)
    return Branch(standing, frozenset(left), last)


def end_of_emptied(
    turns: Sequence[Turn], last: str, queries: dict[str, str], message: str, human: str
) -> str | None:
    """The ``end`` of a conversation whose messages were all taken out before this one.

    If ``message`` looks like an edit of an earlier one, the end is what came before that; otherwise
    the conversation was cut, and all of it stands.

    Args:
        turns: all that are remembered of the conversation.
        last: the episode of the last turn of its branch.
        queries: what the user asked in the turns, by episode.
        message: what the user asks now.
        human: the id of that message.
    """
    by_episode = {turn.episode: turn for turn in turns}
    likeness = {
        episode: 1.0 if by_episode[episode].human == human else _likeness(query, message)
        for episode in _chain(last, _follows(turns))
        if episode in by_episode and (query := queries.get(episode)) is not None
    }
    edited = max(likeness, key=likeness.__getitem__, default=None)
    if edited is None or likeness[edited] < ALIKE:
        return last
    return by_episode[edited].follows


def with_turn(turns: Sequence[Turn], turn: Turn) -> list[Turn]:
    """The turns with one more; remembered again, it replaces what it was."""
    others = [each for each in turns if each.episode != turn.episode]
    return [*others, turn][-LATEST_TURNS:]


def without_turns(turns: Sequence[Turn], episodes: Collection[str]) -> list[Turn]:
    """The turns without those of these episodes; what followed one of them follows what is before it."""
    follows = {turn.episode: turn.follows for turn in turns if turn.episode in episodes}

    def before(turn: Turn) -> str | None:
        return next((id for id in _chain(turn.follows, follows) if id not in follows), None)

    return [
        turn.model_copy(update={"follows": before(turn)})
        for turn in turns
        if turn.episode not in episodes
    ]


def _standing(turns: Sequence[Turn], exchanges: Sequence[Exchange]) -> list[str]:
    """The episodes of the turns that are in the messages, in the order of these; each exchange stands
    for one of them."""
    found: dict[int, str] = {}
    for sign in _SIGNS:
        taken, free = {*found.values()}, defaultdict[Any, list[str]](list)
        for turn in turns:
            if turn.episode not in taken:
                free[sign(turn)].append(turn.episode)
        for place, exchange in reversed([*enumerate(exchanges)]):
            if place not in found and (episodes := free[sign(exchange)]):
                found[place] = episodes.pop()
    return [found[place] for place in sorted(found)]


def _up_to(episode: str | None, turns: Sequence[Turn], humans: Collection[str]) -> set[str]:
    """The turn of this episode and those before it, but for those whose message was edited in place."""
    by_episode = {turn.episode: turn for turn in turns}
    chain = [by_episode[id] for id in _chain(episode, _follows(turns)) if id in by_episode]
    return {turn.episode for turn in chain if turn.human not in humans}


def _follows(turns: Sequence[Turn]) -> dict[str, str | None]:
    return {turn.episode: turn.follows for turn in turns}


def _chain(episode: str | None, follows: Mapping[str, str | None]) -> list[str]:
    """The episode, the one that it follows, and so on, as far as ``follows`` says."""
    chain: list[str] = []
    while episode is not None and episode not in chain:
        chain.append(episode)
        episode = follows.get(episode)
    return chain


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(
        None, normal_question(one), normal_question(other), autojunk=False
    ).ratio()
