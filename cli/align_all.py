"""``personaagent align --all``: every user of the data folder with enough new labels."""

import asyncio
import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.output import print_notice, print_result, printable
from personaagent.cli.tables import listing
from personaagent.core.alignment import Alignment, learned_sentence
from personaagent.core.errors import Conflict
from personaagent.core.records import Record
from personaagent.core.telling import refusals

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


class UserAlignment(Record):
    """The alignment of one user, and the sentence of its error if it failed."""

    user_id: str
    alignment: Alignment | None = None
    error: str | None = None


def align_all(options: dict[str, Any], users_at_once: int, after: int, as_json: bool) -> None:
    """Align all users with at least ``after`` new labels, ``users_at_once`` at the same time.

    Raises:
        PersonaAgentError: the error of the first user that failed, after all were tried.
    """
    failures: list[Exception] = []

    async def align_users(agent: "LocalAgent") -> list[UserAlignment]:
        users = await agent.users_to_align(after)
        gc.freeze()  # no collection need go through the imported modules again
        slots = asyncio.Semaphore(users_at_once)
        return list(await asyncio.gather(*(align_user(agent, user, slots) for user in users)))

    async def align_user(agent: "LocalAgent", user: str, slots: asyncio.Semaphore) -> UserAlignment:
        async with slots:
            result = None
            try:
                result = await agent.align(user, trigger="cli", **options)
                if result.stopped_by == "conflict":
                    raise Conflict(result.warnings[-1])
            except Exception as error:
                failures.append(error)
                print_notice(f"{user}: {error}")
                return UserAlignment(user_id=user, alignment=result, error=str(error))
            print_notice(f"{user}: {_outcome(result)}")
            return UserAlignment(user_id=user, alignment=result)

    print_result(run_with_agent(align_users, role="all", embeddings=True), as_json, _view)
    if failures:
        raise failures[0]


def _view(alignments: Sequence[UserAlignment]) -> RenderableType:
    outcomes = {
        user.user_id: user.error if user.alignment is None else _outcome(user.alignment)
        for user in alignments
    }
    items = [
        (Text(printable(user), "cyan"), Text(printable(outcome or "")))
        for user, outcome in outcomes.items()
    ]
    return listing(items) if items else Text("(nobody has new labels)", "dim")


def _outcome(result: Alignment) -> str:
    if result.to_version == result.from_version:
        reasons = refusals(result.refused, 1)
        why = f"; not taken: {reasons}" if reasons else ""
        return f"version {result.from_version} stays ({result.stopped_by}{why})"
    text = learned_sentence(result)
    return f"version {result.from_version} -> {result.to_version}. {text}"
