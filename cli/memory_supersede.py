"""``personaagent memory supersede``: one episode replaces another."""

from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.core.errors import UsageError
from personaagent.core.ids import short_id
from personaagent.core.records import Episode
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def supersede(
    episode: Annotated[str, typer.Argument(metavar="ID", help="Id of what is no longer true.")],
    user: User,
    by: Annotated[
        str | None, typer.Option("--by", metavar="ID", help="Id of the episode that replaces it.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="It stands again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that a newer episode replaces an older one, or take that back.

    The older one stays in memory. The agent sees it last, marked as superseded.
    """
    check_user_id(user)
    if (by is None) != undo:
        raise UsageError("Give either --by ID or --undo.")

    async def link(agent: "LocalAgent") -> Episode:
        return await (await known_user(agent, user)).episodes.supersede(episode, by)

    print_result(run_with_agent(link), as_json, _sentence)


def _sentence(episode: Episode) -> str:
    if episode.superseded_by is None:
        return f"Episode {short_id(episode.id)} stands again."
    return f"Episode {short_id(episode.id)} is superseded by {short_id(episode.superseded_by)}."
