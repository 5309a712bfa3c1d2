"""``personaagent memory keep``: an episode stands, whatever its conversation goes on from."""

from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.core.ids import short_id
from personaagent.core.records import Episode
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def keep(
    episode: Annotated[str, typer.Argument(metavar="ID", help="Id of a discarded episode.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Let an episode stand that was discarded when its message was edited or answered again."""
    check_user_id(user)

    async def keep_it(agent: "LocalAgent") -> Episode:
        return await (await known_user(agent, user)).keep(episode)

    print_result(
        run_with_agent(keep_it), as_json, lambda kept: f"Episode {short_id(kept.id)} stands."
    )
