"""The statements of a user as they are stored, in one value."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from personaagent.core.errors import Unknown
from personaagent.core.records import Moment, Record, Statement

MAX_FORGOTTEN = 1000


class ForgottenStatement(Record):
    """What is kept of a statement that the user forgot: the keyed hash of its text, and the ids of
    the episodes that it rested on."""

    hash: str
    evidence: list[str]

    def without(self, episodes: set[str]) -> "ForgottenStatement":
        """The same without these episodes in its evidence."""
        remaining = [id for id in self.evidence if id not in episodes]
        return self.model_copy(update={"evidence": remaining})


class StoredStatements(Record):
    """The statements, and what must be known to change them.

    ``at`` is the time of the last summary, ``highest`` the highest number that an id ever had, and
    ``changes`` the number of the latest change in the history.
    """

    statements: list[Statement] = Field(default_factory=list)
    at: Moment | None = None
    highest: int = 0
    forgotten: list[ForgottenStatement] = Field(default_factory=list)
    changes: int = 0

    @classmethod
    def of(cls, value: dict[str, Any] | None) -> "StoredStatements":
        """The stored value; statements that an earlier version stored without an id get one."""
        stored = cls.model_validate(value or {})
        return stored.with_statements(stored.statements)

    def find(self, statement_id: str) -> Statement:
        """The statement of that id.

        Raises:
            Unknown: there is no such statement.
        """
        for statement in self.statements:
            if statement.id == statement_id:
                return statement
        raise Unknown(
            f"The profile has no statement '{statement_id}': see `personaagent profile show`."
        )

    def without(self, statement: Statement) -> "StoredStatements":
        """The same without this statement."""
        return self.with_statements([each for each in self.statements if each != statement])

    def with_statements(self, statements: Sequence[Statement]) -> "StoredStatements":
        """The same with these statements; new ones get the next ids, which nothing ever had."""
        highest, numbered = self.highest, []
        for statement in statements:
            if not statement.id:
                highest += 1
                statement = statement.model_copy(update={"id": f"s{highest}"})
            numbered.append(statement)
        return self.model_copy(update={"statements": numbered, "highest": highest})

    def with_forgotten(self, forgotten: Sequence[ForgottenStatement]) -> "StoredStatements":
        """The same with these forgotten statements, the latest 1,000 of them."""
        return self.model_copy(update={"forgotten": [*forgotten][-MAX_FORGOTTEN:]})
