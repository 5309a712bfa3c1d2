"""What becomes of the statements when a summary has proposed others."""

from collections.abc import Callable, Sequence

from personaagent.core.records import Statement, now
from personaagent.memory.keyed_hash import plain_words
from personaagent.memory.profile_history import same_content


def merge_statements(
    stored: Sequence[Statement],
    proposed: Sequence[Statement],
    base: Sequence[Statement],
    is_forgotten: Callable[[Statement], bool],
) -> list[Statement]:
    """The statements after a summary that was made from ``base`` has ``proposed`` others.

    What the user changed, locked, removed or added since ``base`` was read stays as the user left
    it, and so do the statements that are fixed. What ``is_forgotten`` does not come back.
    """
    by_id = {each.id: each for each in proposed if each.id}
    read = {each.id: each for each in base}
    kept = [
        merged
        for old in stored
        if (merged := _merged(old, by_id.get(old.id), read.get(old.id), is_forgotten))
    ]
    added: list[Statement] = []
    for statement in proposed:
        known = {plain_words(each.text) for each in (*kept, *added)}
        if not statement.id and plain_words(statement.text) not in known:
            added += [] if is_forgotten(statement) else [_dated(statement)]
    return [*kept, *added]


def _merged(
    old: Statement,
    proposed: Statement | None,
    read: Statement | None,
    is_forgotten: Callable[[Statement], bool],
) -> Statement | None:
    """A stored statement as the summary leaves it; None if the summary removes it."""
    if old.fixed or not same_content(old, read):
        return old
    if proposed is None or proposed.text == old.text:
        return proposed
    if is_forgotten(proposed.model_copy(update={"evidence": []})):
        return old
    return proposed.model_copy(update={"changed_at": now()})


def _dated(statement: Statement) -> Statement:
    times = {"created_at": now(), "changed_at": now()}
    return statement.model_copy(update=times)
