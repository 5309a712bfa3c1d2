"""How a command runs its work on the agent of this machine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, get_args

import typer

from personaagent.cli.output import notice, progress, waiting
from personaagent.core.errors import ConfigurationError, DataError
from personaagent.core.settings import Role, Settings, load_settings

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

T = TypeVar("T")
User = Annotated[str, typer.Option("--user", "-u", help="Whose memory and persona.")]


def run(
    work: Callable[["LocalAgent"], Awaitable[T]],
    *,
    role: Role | Literal["all"] | None = None,
    embeddings: bool = False,
) -> T:
    """Open the agent, do ``work`` on it and close it again; returns what ``work`` returns.

    Args:
        work: what is to be done.
        role: the model that it will ask (``all``: those of every role), pulled first where it is
            embedded and missing.
        embeddings: whether it needs the embedding model, pulled likewise.
    """
    return asyncio.run(_run(work, load_settings(), role, embeddings))


async def known_user(agent: "LocalAgent", user_id: str) -> "UserMemory":
    """The memory of a user of whom something is remembered.

    Raises:
        UsageError: the user id is not valid.
        DataError: nothing is remembered of this user.
    """
    memory = agent.memory(user_id)
    if not await memory.exists():
        raise DataError(
            f"Nothing is remembered of '{user_id}': is the name right? A memory begins with "
            "`personaagent ask` or `personaagent memory import`."
        )
    return memory


async def _run(
    work: Callable[["LocalAgent"], Awaitable[T]],
    settings: Settings,
    role: Role | Literal["all"] | None,
    embeddings: bool,
) -> T:
    with waiting("Starting …"):
        from personaagent.local.agent import open_local
    await pull_needed(settings, role, embeddings=embeddings)
    async with open_local(settings) as agent:
        return await work(agent)


async def pull_needed(
    settings: Settings, role: Role | Literal["all"] | None, *, embeddings: bool
) -> None:
    """Pull what is missing of the embedded models that play ``role``, and that embed.

    Raises:
        ConfigurationError: there is no model of that name.
        DownloadError, DataError: one cannot be fetched or written.
    """
    if role and settings.embedded:
        from personaagent.models.catalog import CHAT, MODELS

        roles: Sequence[Role] = get_args(Role) if role == "all" else [role]
        for name in dict.fromkeys(settings.model_for(each) or CHAT for each in roles):
            if name not in MODELS:
                raise ConfigurationError(
                    f"There is no embedded model {name!r}: use {CHAT}, or set OPENAI_API_KEY or "
                    "OPENAI_BASE_URL to use an endpoint's model."
                )
            await pull_missing(name, settings)
    if embeddings and not settings.embeddings.startswith("openai:"):
        await pull_missing(settings.embeddings, settings)


async def pull_missing(name: str, settings: Settings) -> bool:
    """Pull the model of that name, if it is not there, and say so; returns whether it was missing.

    Raises:
        ConfigurationError: there is no such model, or no package that runs it.
        DownloadError, DataError: it cannot be fetched or written.
    """
    from personaagent.models.catalog import find_model
    from personaagent.models.download import ensure, present
    from personaagent.models.packages import check_packages

    model = find_model(name)
    if present(model, settings.home):
        return False
    check_packages(name)
    notice(
        f"Fetching the model {name} ({model.size / 1e6:,.0f} MB, {model.licence}); this happens once."
    )
    with progress(name, bytes_=True) as advance:
        await ensure(name, settings.home, advance)
    return True
