"""The alignments of many users: what became of each, in this process or on the workers of Ray."""

from typing import Any

from personaagent.core.alignment import Alignment
from personaagent.core.errors import Conflict
from personaagent.core.records import Record
from personaagent.local.agent import LocalAgent


class UserAlignment(Record):
    """The alignment of one user, and the sentence of its error if it failed."""

    user_id: str
    alignment: Alignment | None = None
    error: str | None = None


async def align_user(
    agent: LocalAgent, user_id: str, options: dict[str, Any]
) -> tuple[UserAlignment, Exception | None]:
    """Align one of many users: the alignment, and the error that ended it.

    Args:
        agent: the open agent.
        user_id: whose persona.
        options: as of ``LocalAgent.align``.
    """
    result = None
    try:
        result = await agent.align(user_id, trigger="cli", **options)
        if result.stopped_by == "conflict":
            raise Conflict(result.warnings[-1])
    except Exception as error:
        return UserAlignment(user_id=user_id, alignment=result, error=str(error)), error
    return UserAlignment(user_id=user_id, alignment=result), None
