"""What was changed in a user's statements, and by whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from personaagent.core.errors import Unknown
from personaagent.core.records import Moment, Record, Statement, now
from personaagent.memory.user_store import StoreWrite, UserStore

KEPT_CHANGES = 200
"""The latest changes; older ones are dropped."""

ChangeAuthor = Literal["user", "summary", "import"]
Rewrite = Callable[[Statement], Statement | None]
"""Returns a statement as it may stay in the history; None if its text must go."""


class ProfileChange(Record):
    """One change of the statements, which can be undone.

    ``before`` has the statements that were changed or removed, as they were, ``after`` those that
    were changed or added, as they became. ``undoes`` is the number of the change that this one took
    back. Forgetting empties both lists of what was forgotten.
    """

    number: int = Field(ge=1)
    author: ChangeAuthor
    note: str
    before: list[Statement] = Field(default_factory=list)
    after: list[Statement] = Field(default_factory=list)
    undoes: int | None = None
    at: Moment = Field(default_factory=now)

    def rewritten(self, rewrite: Rewrite) -> "ProfileChange":
        """The change with each statement as ``rewrite`` gives it back.

        A statement of which a text goes is no longer part of the change, because half a change
        cannot be undone.
        """
        gone = {each.id for each in (*self.before, *self.after) if rewrite(each) is None}
        before, after = (
            [rewritten for each in side if each.id not in gone and (rewritten := rewrite(each))]
            for side in (self.before, self.after)
        )
        return self.model_copy(update={"before": before, "after": after})

    def taken_back(self, statements: Sequence[Statement]) -> list[Statement]:
        """The statements as they would be without this change; those changed since stay as they are."""
        before = {each.id: each for each in self.before}
        after = {each.id: each for each in self.after}
        present = {each.id for each in statements}
        kept = [before.get(each.id) if after.get(each.id) == each else each for each in statements]
        returning = [each for each in self.before if each.id not in present | after.keys()]
        return [*(each for each in kept if each), *returning]


@dataclass(frozen=True)
class ProfileHistory:
    """The latest 200 changes of one user's statements, numbered from 1."""

    store: UserStore

    async def changes(self) -> list[ProfileChange]:
        """The changes, oldest first."""
        changes = [
            ProfileChange.model_validate(value)
            async for _, value in self.store.scan("profile_history")
        ]
        return sorted(changes, key=lambda change: change.number)

    async def get(self, number: int) -> ProfileChange:
        """The change of that number.

        Raises:
            Unknown: there is no such change (any more).
        """
        [value] = await self.store.get("profile_history", _key(number))
        if value is None:
            raise Unknown(
                f"The profile has no change {number}: see `personaagent profile history`."
            )
        return ProfileChange.model_validate(value)

    async def last_undoable(self, *, summaries: bool = True) -> ProfileChange | None:
        """The latest change that can be undone, or None: no undo, not undone, not forgotten.

        ``summaries`` says whether those count that a summary made.
        """
        changes = await self.changes()
        undone = {change.undoes for change in changes}
        candidates = (
            change
            for change in reversed(changes)
            if change.undoes is None and change.number not in undone
            if summaries or change.author != "summary"
        )
        return next((each for each in candidates if each.before or each.after), None)

    def adding(self, change: ProfileChange) -> list[StoreWrite]:
        """The writes that add ``change``, and drop the one that is now too old."""
        writes: list[StoreWrite] = [("profile_history", _key(change.number), change.stored())]
        if change.number > KEPT_CHANGES:
            writes.append(("profile_history", _key(change.number - KEPT_CHANGES), None))
        return writes

    async def rewriting(self, rewrite: Rewrite) -> list[StoreWrite]:
        """The writes that rewrite the statements of every change."""
        return [
            ("profile_history", _key(change.number), rewritten.stored())
            for change in await self.changes()
            if (rewritten := change.rewritten(rewrite)) != change
        ]


def changed_statements(
    before: Sequence[Statement], after: Sequence[Statement]
) -> tuple[list[Statement], list[Statement]]:
    """Of two lists of statements, those that differ: as they were, and as they became.

    More evidence for the same text is no change.
    """
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    return (
        [each for each in before if not same_content(each, new.get(each.id))],
        [each for each in after if not same_content(each, old.get(each.id))],
    )


def describe_change(before: Sequence[Statement], after: Sequence[Statement]) -> str:
    """A change in a few words, without the texts: ``add s4; change s2; remove s1``."""
    old, new = {each.id for each in before}, {each.id for each in after}
    edits = {
        "add": [each.id for each in after if each.id not in old],
        "change": [each.id for each in after if each.id in old],
        "remove": [each.id for each in before if each.id not in new],
    }
    return "; ".join(f"{verb} {', '.join(ids)}" for verb, ids in edits.items() if ids)


def same_content(one: Statement | None, other: Statement | None) -> bool:
    """Whether both say the same, by the same author and with the same lock."""
    contents = [each and (each.text, each.source, each.locked) for each in (one, other)]
    return contents[0] == contents[1]


def _key(number: int) -> str:
    return f"{number:06d}"
