"""``personaagent undo``: the latest change of rules or statements is taken back."""

from typing import TYPE_CHECKING

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result, printable
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.undo import Undone


def undo(user: User, as_json: AsJson = False) -> None:
    """Take the latest change of your rules or statements back; again: the one before.

    What was forgotten does not come back.
    """
    check_user_id(user)

    async def undo_of(agent: "LocalAgent") -> "Undone":
        from personaagent.memory.undo import undo_last

        return await undo_last(await known_user(agent, user))

    print_result(run_with_agent(undo_of), as_json, describe_undone)


def describe_undone(undone: "Undone") -> str:
    """What was undone, in one line."""
    what = "version" if undone.kind == "persona" else "change"
    return printable(f"Undone: {what} {undone.number} of the {undone.kind} ({undone.note}).")
