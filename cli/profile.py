"""``personaagent profile``: facts about the user, and a summary."""

from typing import TYPE_CHECKING, Any

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.memory_views import profile_view
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_notice, print_result, spinner
from personaagent.core.records import Profile, Usage
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

profile_app = typer.Typer(
    help="What the agent knows about a user: facts, and a summary.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@profile_app.command("show")
def show_profile(user: User, as_json: AsJson = False) -> None:
    """Show the facts, and each statement of the summary with its evidence."""
    check_user_id(user)

    async def read_profile(agent: "LocalAgent") -> Profile:
        return await (await known_user(agent, user)).profile.read()

    print_result(run_with_agent(read_profile), as_json, profile_view)


@profile_app.command()
def refresh(user: User, as_json: AsJson = False) -> None:
    """Bring the summary up to date with all new episodes, oldest first (asks the critic model)."""
    check_user_id(user)

    async def refresh_profile(agent: "LocalAgent") -> tuple[Profile, dict[str, Any]]:
        memory = await known_user(agent, user)
        with spinner("Reading new episodes …") as show:
            used = await agent.refresh_profile(
                user, lambda read, all: show(f"Read {read:,} of {all:,} new episodes …")
            )
        counts = {"read": used.read, "remaining": used.remaining}
        return await memory.profile.read(), Usage().add("critic", used).summed() | counts

    profile, usage = run_with_agent(refresh_profile, role="critic")
    if as_json:
        print_result(profile.stored() | {"usage": usage}, True, str)
    else:
        print_result(profile, False, profile_view)
        print_notice(
            f"{usage['llm_calls']} calls of the critic, {usage['output_tokens']} tokens written."
        )
        if usage["remaining"]:
            print_notice(f"{usage['remaining']:,} episodes remain to be read: run it again.")
