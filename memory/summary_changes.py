"""How the critic's answer changes the statements of a profile summary."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from personaagent.core.records import Episode, Statement

EPISODES_PER_CALL = 10
MAX_STATEMENTS = 24
"""Statements of the summary's own that are kept; the user's and locked ones do not count."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class StatementChange(BaseModel):
    """One change: a new statement, or a statement in other words, or taken out (empty text)."""

    statement: str = Field(max_length=8, description='"new", or the id of a statement')
    text: str = Field(max_length=200)
    evidence: list[str] = Field(max_length=EPISODES_PER_CALL)
    outdated: list[str] = Field(default_factory=list, max_length=EPISODES_PER_CALL)


class Changes(BaseModel):
    """The critic's answer."""

    changes: list[StatementChange] = Field(max_length=8)


def dated(statements: Sequence[Statement], times: Mapping[str, datetime]) -> list[Statement]:
    """The statements, each ``as_of`` the newest of its episodes, whose ``times`` are given.

    A statement without episodes holds as of its last change.
    """
    return [each.model_copy(update={"as_of": _newest(each, times)}) for each in statements]


def _newest(statement: Statement, times: Mapping[str, datetime]) -> datetime | None:
    cited = [times[id] for id in statement.evidence if id in times]
    return max(cited, default=statement.changed_at or statement.created_at)


def apply_changes(
    changes: Sequence[StatementChange], statements: Sequence[Statement], shown: Sequence[Episode]
) -> list[Statement]:
    """The statements after the changes, oldest first; there are at most 24 of the summary's own.

    A change has no effect without evidence among ``shown``, or where the user wrote or locked the
    statement. Nor can it replace or take out a statement that rests on a newer episode than all
    that the change cites: an old export that is imported late must not undo what was learned since.
    A changed statement keeps its earlier evidence, as that still says something about it.

    Args:
        changes: what the critic answered.
        statements: those that the critic read as S1, S2, ..., with ``as_of``.
        shown: the episodes that it read as E1, E2, ...
    """
    episodes = {f"E{number}": episode for number, episode in enumerate(shown, 1)}
    current = {f"S{number}": statement for number, statement in enumerate(statements, 1)}
    for change in changes:
        cited = {episodes[name].id: episodes[name] for name in change.evidence if name in episodes}
        if cited:
            _apply(change, current, list(cited.values()))
    return keep_best(sorted(current.values(), key=_time), MAX_STATEMENTS)


def _apply(change: StatementChange, current: dict[str, Statement], cited: list[Episode]) -> None:
    text = " ".join(change.text.split())
    same = next((name for name, each in current.items() if _same_text(each.text, text)), None)
    name = same or change.statement
    if name not in current:
        if text:
            current[f"new: {text}"] = _resting_on(Statement(text=text), cited)
    elif current[name].fixed:
        return
    elif same is not None:
        current[name] = _resting_on(current[name], cited)
    elif max(each.created_at for each in cited) >= _time(current[name]):
        _replace(current, name, text, cited)


def _same_text(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _replace(current: dict[str, Statement], name: str, text: str, cited: list[Episode]) -> None:
    """Give a statement another text, or take it out if ``text`` is empty."""
    old = current.pop(name)
    if text:
        changed = old.model_copy(update={"text": text, "source": "summary"})
        current[name] = _resting_on(changed, cited)


def _resting_on(statement: Statement, cited: Sequence[Episode]) -> Statement:
    """The statement with these episodes among its evidence."""
    evidence = dict.fromkeys([*statement.evidence, *(each.id for each in cited)])
    as_of = max([_time(statement), *(each.created_at for each in cited)])
    return statement.model_copy(update={"evidence": [*evidence], "as_of": as_of})


def keep_best(statements: Sequence[Statement], limit: int) -> list[Statement]:
    """The statements to keep, in their order, at most ``limit`` of the summary's own.

    Half of the places go to the statements with the most episodes as evidence, among equals to
    those that have stood longest; the other half to the most recent of the rest. So neither a habit
    nor something lasting that was said once, long ago, gives way just because it is old.
    """
    own = [each for each in statements if each.source == "summary" and not each.locked]
    if len(own) <= limit:
        return [*statements]
    well_founded = sorted(own, key=lambda each: (-len(each.evidence), _time(each)))
    half = limit // 2
    recent = sorted(well_founded[half:], key=_time, reverse=True)
    dropped = {id(each) for each in recent[limit - half :]}
    return [each for each in statements if id(each) not in dropped]


def _time(statement: Statement) -> datetime:
    return statement.as_of or _LONG_AGO
