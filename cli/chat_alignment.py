"""Alignment in the background of a chat: what the user reads when it starts and when it ends."""

import asyncio
from typing import TYPE_CHECKING

from personaagent.cli.alignment_views import STOP_REASONS
from personaagent.cli.output import print_notice, print_warning, printable
from personaagent.core.alignment import Alignment, learned_sentence
from personaagent.core.errors import Unapproved
from personaagent.core.telling import labels_missing, refusals

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def start_alignment(agent: "LocalAgent", user: str) -> None:
    """Start an alignment because the user asks for it, unless one is running."""
    if agent.aligning(user):
        print_notice("An alignment is already running.")
    else:
        _announce(agent.align_in_background(user))


async def align_if_due(agent: "LocalAgent", user: str) -> None:
    """Start an alignment if there are enough new labels."""
    if task := await agent.align_if_due(user):
        _announce(task)


async def tell_missing_labels(agent: "LocalAgent", user: str) -> None:
    """Say how many corrections are missing until the agent learns by itself."""
    if text := labels_missing(await agent.labels_missing(user)):
        print_notice(text)


def _announce(task: asyncio.Task[Alignment]) -> None:
    print_notice("Learning from your feedback in the background …")
    task.add_done_callback(_print_end)


def _print_end(task: asyncio.Task[Alignment]) -> None:
    if task.cancelled():
        print_notice("The alignment was interrupted. The next one resumes it.")
    elif isinstance(error := task.exception(), Unapproved):
        print_notice(str(error))
    elif error:
        print_warning(f"The alignment failed: {error}")
    else:
        _print_result(task.result())


def _print_result(result: Alignment) -> None:
    for warning in result.warnings:
        print_warning(warning)
    if result.to_version != result.from_version:
        text = learned_sentence(result)
        print_notice(f"{printable(text)} /undo")
    elif not result.warnings:
        print_notice(f"Nothing was learned: {STOP_REASONS[result.stopped_by]}.")
        if reasons := refusals(result.refused):
            print_notice(f"Not taken: {printable(reasons)}")
