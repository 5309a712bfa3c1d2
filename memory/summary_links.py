"""Which episodes a change of the summary supersedes: those that the critic names, if code agrees."""

from collections.abc import Iterator, Mapping, Sequence

from personaagent.core.records import Episode, Statement
from personaagent.memory.summary_changes import StatementChange
from personaagent.memory.superseding import may_supersede

Named = Mapping[str, Episode]
"""Episodes by the names that the critic read: E1, E2, ... are new, P1, P2, ... earlier ones."""


def superseded_episodes(
    changes: Sequence[StatementChange],
    before: Sequence[Statement],
    after: Sequence[Statement],
    named: Named,
) -> dict[str, str]:
    """By the id of each episode that no longer holds, the id of the one that supersedes it.

    Only a change counts that was stored: it gave a statement another text, or took it out. The
    newest episode that it cites supersedes what it names as outdated, unless that is not older, is
    superseded already, has a label of the user's, or another statement rests on it. An earlier
    episode must be evidence of the changed statement.

    Args:
        changes: what the critic answered.
        before: the statements that it read as S1, S2, ...
        after: the statements as they are stored since.
        named: the episodes that it read.
    """
    read = {f"S{number}": statement for number, statement in enumerate(before, 1)}
    texts = {each.id: each.text for each in after}
    links: dict[str, str] = {}
    for change in changes:
        old = read.get(change.statement)
        if old is None or not _took_effect(change, old, texts):
            continue
        others = {id for each in after if each.id != old.id for id in each.evidence}
        links |= {
            older: newer for older, newer in _links(change, old, named) if older not in others
        }
    return links


def _took_effect(change: StatementChange, old: Statement, texts: Mapping[str, str]) -> bool:
    """Whether the statement has the text of the change now, and did not before."""
    text = " ".join(change.text.split())
    return not old.fixed and text != old.text and texts.get(old.id, "") == text


def _links(change: StatementChange, old: Statement, named: Named) -> Iterator[tuple[str, str]]:
    cited = [named[name] for name in change.evidence if name in named and name.startswith("E")]
    if not cited:
        return
    newest = max(cited, key=lambda each: (each.created_at, each.id))
    for name in change.outdated:
        episode = named.get(name)
        if episode is None or (name.startswith("P") and episode.id not in old.evidence):
            continue
        if episode not in cited and may_supersede(newest, episode):
            yield episode.id, newest.id
