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
from personaagent.core.extras import check_installed
from personaagent.core.settings import load_settings
from personaagent.core.telling import refusals

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.local.alignments import UserAlignment

Outcome = tuple["UserAlignment", Exception | None]
"""A user's alignment, and the error that ended it."""


def align_all(
    options: dict[str, Any],
    users_at_once: int,
    after: int,
    as_json: bool,
    ray_address: str | None = None,
    vllm: str | None = None,
) -> None:
    """Align all users with at least ``after`` new labels, ``users_at_once`` at the same time.

    ``ray_address``: on the workers of that Ray cluster, each of which aligns so many at once; ``vllm`` is
    the model that each of them serves itself.

    Raises:
        PersonaAgentError: the error of the first user that failed, after all were tried.
    """
    if ray_address is None:
        outcomes = _align_here(options, users_at_once, after)
    else:
        outcomes = _align_on_ray(ray_address, options, users_at_once, after, vllm)
    print_result([result for result, _ in outcomes], as_json, _view)
    for _, error in outcomes:
        if error is not None:
            raise error


def _align_here(options: dict[str, Any], users_at_once: int, after: int) -> list[Outcome]:
    """In this process."""

    async def align_users(agent: "LocalAgent") -> list[Outcome]:
        users = await agent.users_to_align(after)
        gc.freeze()  # no collection need go through the imported modules again
        slots = asyncio.Semaphore(users_at_once)
        return list(await asyncio.gather(*(align_one(agent, user, slots) for user in users)))

    async def align_one(agent: "LocalAgent", user: str, slots: asyncio.Semaphore) -> Outcome:
        from personaagent.local.alignments import align_user

        async with slots:
            outcome = await align_user(agent, user, options)
        _notice(outcome[0])
        return outcome

    return run_with_agent(align_users, role="all", embeddings=True)


def _align_on_ray(
    address: str, options: dict[str, Any], users_at_once: int, after: int, vllm: str | None
) -> list[Outcome]:
    """On the workers of Ray, in the order of ``_align_here``."""
    check_installed("ray", "ray", "--ray")
    if vllm is not None:
        from personaagent.local.vllm_server import check_vllm

        check_vllm()
    users = run_with_agent(
        lambda agent: agent.users_to_align(after),
        role="all" if vllm is None else None,
        embeddings=True,
    )
    if not users:
        return []
    from personaagent.local.ray_alignment import AlignmentJob, align_on_ray

    job = AlignmentJob(load_settings(), options, after, users_at_once, vllm)
    outcomes = {}
    for result, error in align_on_ray(address, users, job):
        _notice(result)
        outcomes[result.user_id] = (result, error)
    return [outcomes[user] for user in users]


def _notice(user: "UserAlignment") -> None:
    print_notice(f"{user.user_id}: {user.error or _line(user)}")


def _view(alignments: Sequence["UserAlignment"]) -> RenderableType:
    items = [
        (Text(printable(user.user_id), "cyan"), Text(printable(_line(user)))) for user in alignments
    ]
    return listing(items) if items else Text("(nobody has new labels)", "dim")


def _line(user: "UserAlignment") -> str:
    """What became of the user's alignment, in one line."""
    if user.alignment is None:
        return user.error or "aligned by another process"
    return _outcome(user.alignment)


def _outcome(result: Alignment) -> str:
    if result.to_version == result.from_version:
        reasons = refusals(result.refused, 1)
        why = f"; not taken: {reasons}" if reasons else ""
        return f"version {result.from_version} stays ({result.stopped_by}{why})"
    text = learned_sentence(result)
    return f"version {result.from_version} -> {result.to_version}. {text}"
