"""``personaagent align --all``: every user of the data folder who has said something new."""

import asyncio
import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.alignment_views import losses_text
from personaagent.cli.output import notice, printable, show
from personaagent.cli.run import run
from personaagent.core.alignment import Alignment
from personaagent.core.errors import Conflict
from personaagent.core.records import Record

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


class Aligned(Record):
    """What came of one user's alignment: its result, and the sentence of what went wrong."""

    user_id: str
    alignment: Alignment | None = None
    error: str | None = None


def align_all(options: dict[str, Any], users_at_once: int, after: int, as_json: bool) -> None:
    """Align all users with at least ``after`` new labels, ``users_at_once`` side by side.

    Raises:
        PersonaAgentError: why the first user that failed did so, after all were tried.
    """
    failures: list[Exception] = []

    async def work(agent: "LocalAgent") -> list[Aligned]:
        users = await agent.users_to_align(after)
        gc.freeze()  # what is imported never goes, and need not be gone through again and again
        room = asyncio.Semaphore(users_at_once)
        return list(await asyncio.gather(*(one(agent, user, room) for user in users)))

    async def one(agent: "LocalAgent", user: str, room: asyncio.Semaphore) -> Aligned:
        async with room:
            result = None
            try:
                result = await agent.align(user, trigger="cli", **options)
                if result.stopped_by == "conflict":
                    raise Conflict(result.warnings[-1])
            except Exception as error:
                failures.append(error)
                notice(f"{user}: {error}")
                return Aligned(user_id=user, alignment=result, error=str(error))
            notice(f"{user}: {_outcome(result)}")
            return Aligned(user_id=user, alignment=result)

    show(run(work, role="all", embeddings=True), as_json, _view)
    if failures:
        raise failures[0]


def _view(everyone: Sequence[Aligned]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for each in everyone:
        outcome = each.error if each.alignment is None else _outcome(each.alignment)
        table.add_row(Text(printable(each.user_id), "cyan"), Text(printable(outcome or "")))
    return table if everyone else Text("(nobody has new labels)", "dim")


def _outcome(result: Alignment) -> str:
    if result.to_version == result.from_version:
        return f"version {result.from_version} stays ({result.stopped_by})"
    return f"version {result.from_version} -> {result.to_version}; {losses_text(result.pairs)}"
