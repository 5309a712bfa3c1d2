"""``personaagent memory irrelevant``: an episode did not bear on a question."""

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


def irrelevant(
    episode: Annotated[str, typer.Argument(metavar="ID", help="Id of the episode.")],
    user: User,
    to: Annotated[
        str, typer.Option("--to", metavar="QUESTION", help="The question that it did not bear on.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="It bears on it after all.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that an episode did not bear on a question: it is not recalled for questions like it.

    Nothing else changes. `memory show` has the questions that an episode is irrelevant to.
    """
    check_user_id(user)

    async def mark(agent: "LocalAgent") -> Episode:
        return await (await known_user(agent, user)).marks.mark(episode, to, relevant=undo)

    fate = "is recalled for it again" if undo else "is not recalled for questions like it"
    print_result(
        run_with_agent(mark), as_json, lambda marked: f"Episode {short_id(marked.id)} {fate}."
    )
