"""``personaagent profile``: facts about the user, and a summary."""

from typing import TYPE_CHECKING, Any

import typer

from personaagent.cli.memory_views import profile_view
from personaagent.cli.output import AsJson, notice, show, waiting
from personaagent.cli.run import User, known_user, run
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

    show(run(read_profile), as_json, profile_view)


@profile_app.command()
def refresh(user: User, as_json: AsJson = False) -> None:
    """Bring the summary up to date with the newest episodes (asks the critic model)."""
    check_user_id(user)

    async def refresh_profile(agent: "LocalAgent") -> tuple[Profile, dict[str, Any]]:
        memory = await known_user(agent, user)
        with waiting("Reading the newest episodes …"):
            used = await agent.refresh_profile(user)
        return await memory.profile.read(), Usage().add("critic", used).summed()

    profile, usage = run(refresh_profile, role="critic")
    if as_json:
        show(profile.stored() | {"usage": usage}, True, str)
    else:
        show(profile, False, profile_view)
        notice(
            f"{usage['llm_calls']} calls of the critic, {usage['output_tokens']} tokens written."
        )
