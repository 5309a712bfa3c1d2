"""Requests told once: what the queries of several episodes in a prompt begin or end with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from personaagent.core.records import Episode
from personaagent.core.text import ELLIPSIS
from personaagent.memory.passages import NEAREST, nearest
from personaagent.memory.shared_text import Group, Side, Words, groups, saved_words

WORDS_A_MENTION = 8
"""What it costs to name a request beside an episode (words): less is not saved."""
MOST_QUERY = 20_000
"""Characters. Longer queries are cut in a prompt anyway."""


@dataclass(frozen=True)
class Differs:
    """What differs in a query stands from ``start`` to ``end``; the rest is the request ``name``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class ToldOnce:
    """The requests by name, and what differs in each of the episodes that share one, by their id."""

    requests: dict[str, str]
    differs: dict[str, Differs]

    def of(self, episodes: Sequence[Episode]) -> dict[str, str]:
        """The requests that these episodes share, by name."""
        names = {self.differs[each.id].name for each in episodes if each.id in self.differs}
        return {name: text for name, text in self.requests.items() if name in names}


NOTHING_SHARED = ToldOnce({}, {})


def told_once(episodes: Sequence[Episode]) -> ToldOnce:
    """The requests that are worth telling once: by that, a prompt becomes shorter."""
    distinct = {each.query: each.id for each in episodes if len(each.query) <= MOST_QUERY}
    leading, trailing = (_edges((*distinct,), side) for side in ("leading", "trailing"))
    names: dict[str, str] = {}
    differs: dict[str, Differs] = {}
    for episode in episodes:
        start, before = leading.get(episode.query, (0, ""))
        end, after = trailing.get(episode.query, (len(episode.query), ""))
        if (before or after) and episode.query[start:end].strip():
            text = f"{before}{ELLIPSIS} {after}".strip()
            name = names.setdefault(text, str(len(names) + 1))
            differs[episode.id] = Differs(name, start, end)
    return ToldOnce({name: text for text, name in names.items()}, differs)


def only_differing(episode: Episode, differs: Differs) -> Episode:
    """The episode, an ellipsis in its query in place of the request."""
    query = episode.query
    before = ELLIPSIS.lstrip() + " " if query[: differs.start].strip() else ""
    after = ELLIPSIS if query[differs.end :].strip() else ""
    text = query[differs.start : differs.end]
    shift = len(before) - differs.start - (len(text) - len(text.lstrip()))
    shown = before + text.strip() + after
    update: dict[str, object] = {"query": shown}
    match nearest(episode):
        case ("query", start, end):
            place = ["query", max(start + shift, 0), min(end + shift, len(shown))]
            update["metadata"] = {**episode.metadata, NEAREST: place}
    return episode.model_copy(update=update)


@lru_cache(maxsize=64)
def _edges(queries: tuple[str, ...], side: Side) -> Mapping[str, tuple[int, str]]:
    """For each query that shares a text at ``side``: where that ends, and the text."""
    words = [Words(query, side) for query in queries]
    return {
        queries[number]: (
            words[number].edge(group.words),
            words[group.members[0]].first(group.words),
        )
        for group in groups(words, least=2)
        if _pays(group)
        for number in group.members
    }


def _pays(group: Group) -> bool:
    return saved_words(group) >= WORDS_A_MENTION * len(group.members)
