"""An alignment beside a conversation: what is said when it begins and when it ends."""

import asyncio
from typing import TYPE_CHECKING

from personaagent.cli.alignment_views import ENDED, losses_text
from personaagent.cli.output import notice, warn
from personaagent.core.alignment import Alignment
from personaagent.core.errors import Unapproved

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def begin_alignment(agent: "LocalAgent", user: str) -> None:
    """Begin one, as the user asks for it; only say so where one is going on."""
    if agent.aligning(user):
        notice("An alignment is going on already.")
    else:
        _watch(agent.align_in_background(user))


async def align_if_due(agent: "LocalAgent", user: str) -> None:
    """Begin one, if there are enough new labels."""
    if task := await agent.align_if_due(user):
        _watch(task)


def _watch(task: asyncio.Task[Alignment]) -> None:
    notice("Learning from what you wanted, beside the conversation …")
    task.add_done_callback(_tell_end)


def _tell_end(task: asyncio.Task[Alignment]) -> None:
    if task.cancelled():
        notice("The alignment was broken off: the next one goes on where it stood.")
    elif isinstance(error := task.exception(), Unapproved):
        notice(str(error))
    elif error:
        warn(f"The alignment failed: {error}")
    else:
        _tell_result(task.result())


def _tell_result(result: Alignment) -> None:
    for warning in result.warnings:
        warn(warning)
    if result.to_version != result.from_version:
        notice(f"Learned ({losses_text(result.pairs)}): the next answer goes by the new rules.")
    elif not result.warnings:
        notice(f"Nothing was learned: {ENDED[result.stopped_by]}.")
