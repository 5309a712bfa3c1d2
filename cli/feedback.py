"""``personaagent feedback``: what the user wanted in place of an answer."""

from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.output import AsJson, show
from personaagent.cli.run import User, known_user, run
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Signal
from personaagent.core.text import check_text
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

ID_CHARS = 128
NOTED = {
    "edit": "what you wanted was noted",
    "accept": "the answer was noted as right",
    "reject": "the answer was noted as wrong",
}


def feedback(
    episode: Annotated[
        str, typer.Argument(metavar="EPISODE", help="Id of the episode, as `ask --json` gives it.")
    ],
    user: User,
    edit: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The answer that you wanted.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="The answer was right.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="The answer was wrong.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether an answer was right, or what you wanted."""
    check_user_id(user)
    check_text(episode, "episode id", ID_CHARS)
    chosen: dict[Signal, bool] = {
        "edit": edit is not None,
        "accept": accept,
        "reject": reject,
    }
    given = [signal for signal, wanted in chosen.items() if wanted]
    if len(given) != 1:
        raise UsageError("Give exactly one of --edit TEXT, --accept and --reject.")

    async def work(agent: "LocalAgent") -> Episode:
        memory = await known_user(agent, user)
        return await memory.episodes.give_feedback(episode, given[0], edit)

    show(run(work), as_json, lambda told: f"Episode {told.id}: {NOTED[given[0]]}.")
