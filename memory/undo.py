"""Undo: the latest change of a user's rules or statements is taken back, whichever is newer."""

from collections.abc import Sequence
from typing import Literal

from personaagent.core.errors import UsageError
from personaagent.core.records import Persona, Record
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.user import UserMemory

UNDO = "undo version "


class Undone(Record):
    """What was undone: ``number`` is that of the persona's version or of the profile's change."""

    kind: Literal["persona", "profile"]
    number: int
    note: str


async def undo_last(memory: UserMemory) -> Undone:
    """Take the latest change back that is not undone yet; calling it again goes further back.

    Nothing is deleted: an undo is a new version of the persona, or a new change of the profile.
    What was forgotten does not come back.

    Raises:
        UsageError: there is nothing to undo.
        Conflict: somebody else has changed the same meanwhile, or its statements were changed since.
    """
    versions = await memory.personas.history()
    version = _last_undoable(versions)
    change = await memory.profile.statements.history.last_undoable()
    if change is not None and (version is None or change.at >= version.created_at):
        return await _undo_change(memory, change)
    if version is None:
        raise UsageError("There is nothing to undo: no rule and no statement was changed.")
    return await _undo_version(memory, version, versions)


def _last_undoable(versions: Sequence[Persona]) -> Persona | None:
    """The latest version that changed rules and is neither an undo nor undone."""
    rules = {each.version: each.rules for each in versions}
    undone = {each.note.removeprefix(UNDO) for each in versions if each.note.startswith(UNDO)}
    for version in reversed(versions):
        is_undo = version.note.startswith(UNDO) or str(version.version) in undone
        if not is_undo and version.rules != rules.get(version.parent or 0, version.rules):
            return version
    return None


async def _undo_change(memory: UserMemory, change: ProfileChange) -> Undone:
    await memory.profile.statements.undo(change.number)
    return Undone(kind="profile", number=change.number, note=change.note)


async def _undo_version(
    memory: UserMemory, version: Persona, versions: Sequence[Persona]
) -> Undone:
    """Return to the rules before ``version``, as a new version."""
    before = next(each for each in versions if each.version == version.parent)
    await memory.personas.publish(
        before.rules,
        author="user",
        note=f"{UNDO}{version.version}",
        parent=versions[-1].version,
    )
    return Undone(kind="persona", number=version.version, note=version.note)
