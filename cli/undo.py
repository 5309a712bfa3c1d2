"""``personaagent undo``: take back the last change to memory, persona or profile."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.dates import shown_minute
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import confirm, print_result, print_view, printable
from personaagent.core.errors import UsageError
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.undo import Undoable


def undo(
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back the last change to memory, persona or profile.

    A change is feedback, a version of the persona, an edit of the profile, or an import. The command
    shows it and asks; a second undo takes back the change before. Forgetting cannot be undone.
    """
    check_user_id(user)

    async def undo_last(agent: "LocalAgent") -> "Undoable":
        from personaagent.memory.undo import last_change

        change = await last_change(await known_user(agent, user))
        if not yes:
            _confirm(change)
        return await agent.undo(user, change)

    print_result(run_with_agent(undo_last), as_json, lambda each: change_view(each, "Undone"))


def change_view(change: "Undoable", verb: str) -> RenderableType:
    """What is, or was, undone."""
    title = f"{verb}: {change.title} ({shown_minute(change.at)})"
    return Group(
        Text(printable(title), "bold"), *(Text(f"- {printable(line)}") for line in change.details)
    )


def _confirm(change: "Undoable") -> None:
    """Show the change, and ask.

    Raises:
        UsageError: the user does not say yes, or there is no terminal to ask on.
    """
    print_view(change_view(change, "Last change"), stderr=True)
    if not sys.stdin.isatty():
        raise UsageError("Nothing was undone yet: add --yes to undo this.")
    if not confirm("Undo this?"):
        raise UsageError("Nothing was undone.")
