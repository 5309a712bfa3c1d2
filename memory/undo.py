"""Undo: the last change of labels, relevance, persona or profile that the user or alignment made, or
an import.

A second undo takes back the change before. Forgetting cannot be undone.
"""

from collections.abc import Sequence
from typing import Literal

from personaagent.core.counting import counted
from personaagent.core.errors import Conflict, Unknown, UsageError
from personaagent.core.records import Moment, Record
from personaagent.core.text import shorten
from personaagent.core.weights import describe_weights
from personaagent.memory.forget import DeleteThreads, forget
from personaagent.memory.journal import ChangedLabel, ChangedMarks, Journal, JournalEntry
from personaagent.memory.persona_edits import ChangedWeights, difference
from personaagent.memory.profile_history import ProfileChange
from personaagent.memory.tombstones import LISTED
from personaagent.memory.user import UserMemory

SHOWN_CHARS = 120
FORGOTTEN_AT_ONCE = 5000


class Undoable(Record):
    """A change that can be undone: its ``key``, what it was, and ``details`` a line each."""

    key: str
    kind: Literal["feedback", "persona", "import", "profile", "relevance"]
    at: Moment
    title: str
    details: list[str]


async def last_change(memory: UserMemory) -> Undoable:
    """The last change that can be undone.

    Raises:
        UsageError: there is none.
    """
    entries = await Journal(memory.store).entries()
    profile = await memory.profile.statements.history.last_undoable(summaries=False)
    entry = entries[-1] if entries else None
    if profile is not None and (entry is None or profile.at > entry.at):
        return _of_profile(profile)
    if entry is None:
        raise UsageError("There is no change to undo. What was forgotten cannot be brought back.")
    return await _of_entry(memory, entry)


async def undo(memory: UserMemory, change: Undoable, delete_threads: DeleteThreads) -> Undoable:
    """Take back this change, which ``last_change`` returned; returns it.

    Raises:
        Conflict: it was undone already, or what it changed has changed since; nothing was undone.
    """
    if change.kind == "profile":
        await memory.profile.statements.undo(int(change.key))
        return change
    journal = Journal(memory.store)
    entry = next((each for each in await journal.entries() if each.key == change.key), None)
    if entry is None:
        raise Conflict("That change was undone already, or forgotten: look at the last one again.")
    if entry.kind == "feedback":
        await memory.episodes.restore_labels(entry)
    elif entry.kind == "relevance":
        await memory.marks.restore(entry)
    elif entry.version is not None:
        await _undo_version(memory, entry, entry.version)
    else:
        await _undo_import(memory, entry, delete_threads)
    return change


def _of_profile(change: ProfileChange) -> Undoable:
    old = {each.id: each.text for each in change.before}
    new = {each.id: each.text for each in change.after}
    lines = [_line(id, old.get(id), new.get(id)) for id in {**old, **new}]
    return Undoable(
        key=str(change.number),
        kind="profile",
        at=change.at,
        title=f"change of the profile: {change.note}",
        details=lines,
    )


async def _of_entry(memory: UserMemory, entry: JournalEntry) -> Undoable:
    title, details = await _describe(memory, entry)
    return Undoable(key=entry.key, kind=entry.kind, at=entry.at, title=title, details=details)


async def _describe(memory: UserMemory, entry: JournalEntry) -> tuple[str, list[str]]:
    if entry.kind == "feedback":
        return "feedback", [_label_line(each) for each in entry.labels]
    if entry.marks is not None:
        return "relevance", [_marks_line(entry.marks)]
    if entry.version is None:
        ids = await Journal(memory.store).imported(entry.key)
        labelled = sum(each.labelled for each in await memory.episodes.find(ids))
        added = counted(len(ids), "episode")
        return "import", [f"{added}, {labelled:,} with what you wanted: undoing removes all of it"]
    persona = await memory.personas.get(entry.version)
    change = difference(await memory.personas.get(persona.parent or 1), persona)
    lines = [
        *map(_weights_line, change.weights),
        *(_line(rule.id, None, rule.text) for rule in change.added),
        *(_line(rule.id, rule.text, None) for rule in change.removed),
        *(_line(each.after.id, each.before.text, each.after.text) for each in change.changed),
    ]
    return f"version {persona.version} of the persona, by {persona.author}: {persona.note}", lines


def _weights_line(change: ChangedWeights) -> str:
    [id] = {each.id for each in (change.before, change.after) if each}
    before = describe_weights(change.before) if change.before else None
    return _line(id, before, describe_weights(change.after) if change.after else None)


def _label_line(change: ChangedLabel) -> str:
    return _line(change.episode, _label_text(change.before), _label_text(change.after))


def _marks_line(change: ChangedMarks) -> str:
    added = [each for each in change.after if each not in change.before]
    removed = [each for each in change.before if each not in change.after]
    verb = "irrelevant to" if added else "relevant again to"
    return f"{change.episode}: {verb} {_shown(next(iter(added or removed), None))}"


def _label_text(label: dict[str, str | None]) -> str:
    link = f" (superseded by {label['superseded_by']})" if label["superseded_by"] else ""
    return (label["ground_truth"] or label["signal"] or "no feedback") + link


def _line(id: str, before: str | None, after: str | None) -> str:
    return f"{id}: {_shown(before)} -> {_shown(after)}"


def _shown(text: str | None) -> str:
    return "(none)" if text is None else shorten(" ".join(text.split()), SHOWN_CHARS)


async def _undo_version(memory: UserMemory, entry: JournalEntry, version: int) -> None:
    """Publish the version before once more, if the persona is as this change left it."""
    personas = memory.personas
    current, changed = await personas.current(), await personas.get(version)
    if (current.rules, current.weights) != (changed.rules, changed.weights):
        raise Conflict(
            f"Version {version} of the persona cannot be undone: it has changed since. "
            "`personaagent persona rollback` returns to any version."
        )
    try:
        before = await personas.get(changed.parent or 1)
    except Unknown as error:
        raise Conflict(f"Version {version} of the persona has no version before it.") from error
    await personas.publish(
        before.rules,
        weights=before.weights,
        author="user",
        note=f"undo version {version}",
        parent=current.version,
        undoes=entry.key,
        restores=before,
    )


async def _undo_import(
    memory: UserMemory, entry: JournalEntry, delete_threads: DeleteThreads
) -> None:
    """Remove what the import added. It may be imported again, but for what was forgotten before."""
    journal = Journal(memory.store)
    hashes = await journal.brought_back(entry.key)
    await memory.store.write_in_batches(("tombstones", hash, LISTED) for hash in hashes)
    for ids in _chunks(await journal.imported(entry.key)):
        there = [each.id for each in await memory.episodes.find(ids)]
        await forget(memory, there, delete_threads, derived="keep", tombstones=False)
    await memory.store.write_in_batches(await journal.removing(entry.key))


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [
        ids[start : start + FORGOTTEN_AT_ONCE] for start in range(0, len(ids), FORGOTTEN_AT_ONCE)
    ]
