"""How a command runs its work on the agent of this machine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from personaagent.cli.output import spinner
from personaagent.cli.pull_models import pull_needed
from personaagent.core.errors import DataError
from personaagent.core.settings import Role, Settings, load_settings

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

T = TypeVar("T")


def run_with_agent(
    work: Callable[["LocalAgent"], Awaitable[T]],
    *,
    role: Role | Literal["all"] | None = None,
    embeddings: bool = False,
) -> T:
    """Open the agent, run ``work`` on it and close it again; return what ``work`` returns.

    Args:
        work: a function of the open agent.
        role: the model that ``work`` asks (``all``: the models of every role). If it is embedded
            and missing, it is pulled first.
        embeddings: whether ``work`` needs the embedding model, which is pulled likewise.
    """
    return asyncio.run(_run(work, load_settings(), role, embeddings))


async def known_user(agent: "LocalAgent", user_id: str) -> "UserMemory":
    """The memory of a user whom the agent has met.

    Raises:
        UsageError: the user id is not valid.
        DataError: there is no memory of this user.
    """
    memory = agent.memory(user_id)
    if not await memory.exists():
        raise DataError(
            f"There is no memory of '{user_id}'. Check the name; `personaagent ask` or "
            "`personaagent memory import` starts a memory."
        )
    return memory


async def _run(
    work: Callable[["LocalAgent"], Awaitable[T]],
    settings: Settings,
    role: Role | Literal["all"] | None,
    embeddings: bool,
) -> T:
    with spinner("Starting …"):
        from personaagent.local.agent import open_local
    await pull_needed(settings, role, embeddings=embeddings)
    async with open_local(settings) as agent:
        return await work(agent)
