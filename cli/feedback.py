"""``personaagent feedback``: what the user wanted in place of an answer."""

from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.core.ids import short_id
from personaagent.core.records import Episode, Signal, only_signal
from personaagent.core.text import check_text
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

EPISODE_ID_CHARS = 128
Force = Annotated[
    bool,
    typer.Option("--force", help="With --accept or --reject: drop the correction you gave before."),
]


def feedback(
    episode: Annotated[
        str,
        typer.Argument(
            metavar="EPISODE", help="Id of the episode, or how it begins (4 digits, at least)."
        ),
    ],
    user: User,
    edit: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The answer that you wanted.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="The answer was right.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="The answer was wrong.")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Say whether an answer was right, or what you wanted.

    A correction (--edit) stays until you give another: --accept then accepts it.
    """
    check_user_id(user)
    check_text(episode, "episode id", EPISODE_ID_CHARS)
    signal = only_signal(edit=edit is not None, accept=accept, reject=reject)

    async def give_feedback(agent: "LocalAgent") -> Episode:
        memory = await known_user(agent, user)
        return await memory.episodes.give_feedback(episode, signal, edit, force=force)

    labelled = run_with_agent(give_feedback)
    print_result(
        labelled,
        as_json,
        lambda record: f"Episode {short_id(record.id)}: {describe_feedback(record, signal)}.",
    )


def describe_feedback(episode: Episode, signal: Signal) -> str:
    """What the user's ``signal`` has done to the episode, which is given as it is now."""
    if signal == "accept" and episode.signal == "edit":
        return "your correction stays what you wanted"
    return {
        "edit": "what you wanted is saved",
        "accept": "the answer is marked as right",
        "reject": "the answer is marked as wrong",
    }[signal]
