"""``personaagent profile``: what the agent knows about a user, and how the user mends it."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.memory_views import receipt_view
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import confirm, print_notice, print_result, print_view, spinner
from personaagent.cli.profile_import import import_statements
from personaagent.cli.profile_views import changes_view, page_view, statement_view
from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.core.records import Statement, Usage
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.forget import Receipt
    from personaagent.memory.profile_history import ProfileChange
    from personaagent.memory.profile_page import ProfilePage
    from personaagent.memory.user import UserMemory

T = TypeVar("T")

profile_app = typer.Typer(
    help="What the agent knows about a user: facts, statements and rules.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

StatementId = Annotated[str, typer.Argument(metavar="ID", help="Id of the statement, such as s2.")]


@profile_app.command("show")
def show_profile(user: User, as_json: AsJson = False) -> None:
    """Show facts, statements and rules, each with the episodes that it rests on."""

    async def read_page_of(memory: "UserMemory") -> "ProfilePage":
        from personaagent.memory.profile_page import read_page

        return await read_page(memory)

    print_result(_with_memory(user, read_page_of), as_json, page_view)


@profile_app.command()
def refresh(user: User, as_json: AsJson = False) -> None:
    """Bring the summary up to date with all new episodes, oldest first (asks the critic model)."""
    check_user_id(user)

    async def refresh_profile(agent: "LocalAgent") -> tuple["ProfilePage", dict[str, Any]]:
        from personaagent.memory.profile_page import read_page

        memory = await known_user(agent, user)
        with spinner("Reading new episodes …") as show:
            used = await agent.refresh_profile(
                user, lambda read, all: show(f"Read {read:,} of {counted(all, 'new episode')} …")
            )
        counts = {"read": used.read, "remaining": used.remaining}
        return await read_page(memory), Usage().add("critic", used).summed() | counts

    page, usage = run_with_agent(refresh_profile, role="critic")
    if as_json:
        print_result(page.stored() | {"usage": usage}, True, str)
    else:
        print_result(page, False, page_view)
        print_notice(
            f"{counted(usage['llm_calls'], 'call')} of the critic, "
            f"{counted(usage['output_tokens'], 'token')} written."
        )
        if usage["remaining"]:
            remaining = counted(usage["remaining"], "episode remains", "episodes remain")
            print_notice(f"{remaining} to be read: run it again.")


@profile_app.command()
def add(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="One sentence about you.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Add a statement of your own; no summary changes it. It can be the first thing you say."""

    async def add_statement(memory: "UserMemory") -> list[Statement]:
        added = await memory.profile.statements.add([text])
        await memory.personas.begin()
        return added

    added = _with_memory(user, add_statement, new=True)
    if not added:
        print_notice("The profile has this statement already.")
    print_result(added, as_json, lambda added: statement_view(added[0]) if added else "")


@profile_app.command()
def edit(
    statement: StatementId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new text.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Correct a statement. It is yours from then on: no summary changes it."""

    async def edit_statement(memory: "UserMemory") -> Statement:
        return await memory.profile.statements.edit(statement, text)

    print_result(_with_memory(user, edit_statement), as_json, statement_view)


@profile_app.command()
def lock(statement: StatementId, user: User, as_json: AsJson = False) -> None:
    """Lock a statement: only you can change it."""
    _set_lock(statement, user, as_json, locked=True)


@profile_app.command()
def unlock(statement: StatementId, user: User, as_json: AsJson = False) -> None:
    """Unlock a statement: a summary can change it again, unless its text is yours."""
    _set_lock(statement, user, as_json, locked=False)


@profile_app.command()
def forget(
    statement: StatementId,
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a statement for good, in the history too: no summary or import brings it back.

    On a terminal, it first shows the statement and asks. The episodes that it rests on stay.
    """
    check_user_id(user)

    async def forget_statement(agent: "LocalAgent") -> "Receipt":
        memory = await known_user(agent, user)
        chosen = await memory.profile.statements.get(statement)
        if sys.stdin.isatty() and not yes:
            print_view(statement_view(chosen), stderr=True)
            if not confirm("Forget this for good?"):
                raise UsageError("Nothing was forgotten.")
        return await agent.forget_statement(user, chosen.id)

    receipt = run_with_agent(forget_statement)
    print_result(receipt, as_json, receipt_view)
    if receipt.statements[0].evidence and not as_json:
        print_notice(
            "The episodes that it rested on are still remembered: `personaagent memory forget ID` "
            "forgets them too."
        )


@profile_app.command()
def history(user: User, as_json: AsJson = False) -> None:
    """List the changes of the statements, oldest first."""

    async def read_changes(memory: "UserMemory") -> list["ProfileChange"]:
        return await memory.profile.statements.history.changes()

    print_result(_with_memory(user, read_changes), as_json, changes_view)


@profile_app.command()
def undo(
    user: User,
    change: Annotated[
        int | None,
        typer.Argument(metavar="[N]", help="Number of the change. Default: the latest.", min=1),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a change of the statements back. What was forgotten does not come back."""

    async def undo_change(memory: "UserMemory") -> "ProfileChange":
        statements = memory.profile.statements
        return await (statements.undo_latest() if change is None else statements.undo(change))

    print_result(_with_memory(user, undo_change), as_json, lambda each: changes_view([each]))


profile_app.command("import")(import_statements)


def _set_lock(statement: str, user: str, as_json: bool, *, locked: bool) -> None:
    async def lock_statement(memory: "UserMemory") -> Statement:
        return await memory.profile.statements.set_lock(statement, locked=locked)

    print_result(_with_memory(user, lock_statement), as_json, statement_view)


def _with_memory(
    user: str, work: Callable[["UserMemory"], Awaitable[T]], *, new: bool = False
) -> T:
    """Run ``work`` on the memory of a known user, or with ``new`` of any."""
    check_user_id(user)

    async def work_on_memory(agent: "LocalAgent") -> T:
        return await work(agent.memory(user) if new else await known_user(agent, user))

    return run_with_agent(work_on_memory)
