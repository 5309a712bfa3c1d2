"""What a statement may be, and which statements are the same."""

from collections.abc import Callable, Iterable, Sequence

from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.core.records import Statement
from personaagent.core.text import check_text
from personaagent.memory.keyed_hash import keyed_hash, plain_words
from personaagent.memory.stored_statements import StoredStatements

STATEMENT_CHARS = 500
MAX_OWN_STATEMENTS = 100
"""Statements that the user wrote or imported: all of them may stand in every prompt."""


def without_evidence(statements: Iterable[Statement], removed: set[str]) -> list[Statement]:
    """The statements without the evidence in ``removed``; those that lose all of it are left out."""
    remaining = [(each, [id for id in each.evidence if id not in removed]) for each in statements]
    return [
        each.model_copy(update={"evidence": evidence})
        for each, evidence in remaining
        if evidence or not each.evidence
    ]


def check_statement(text: str) -> str:
    """The text of a statement, in one line.

    Raises:
        UsageError: it is empty or too long, or cannot be stored.
    """
    return " ".join(check_text(text, "statement", STATEMENT_CHARS).split())


def check_number(statements: Sequence[Statement], more: int) -> None:
    """Refuse more statements of the user's own than fit.

    Raises:
        UsageError: with ``more``, there are too many.
    """
    own = sum(each.source != "summary" for each in statements) + more
    if own > MAX_OWN_STATEMENTS:
        raise UsageError(
            f"With this, the profile would have {counted(own, 'statement')} of your own; at most "
            f"{MAX_OWN_STATEMENTS} fit. Forget some first: `personaagent profile forget ID`. "
            "Nothing was changed."
        )


def is_same(statement: Statement, forgotten: Statement) -> bool:
    """Whether it is the forgotten statement, an earlier text of it, or says the same."""
    return statement.id == forgotten.id or plain_words(statement.text) == plain_words(
        forgotten.text
    )


def forgotten_test(stored: StoredStatements, keys: Sequence[bytes]) -> Callable[[Statement], bool]:
    """Tells whether a statement has a text that was forgotten, or rests on nothing but the evidence
    of a forgotten statement."""
    hashes = {each.hash for each in stored.forgotten}
    evidence = [set(each.evidence) for each in stored.forgotten]
    return lambda statement: (
        any(keyed_hash(key, statement.text) in hashes for key in keys)
        or (bool(statement.evidence) and any(map(set(statement.evidence).issubset, evidence)))
    )
