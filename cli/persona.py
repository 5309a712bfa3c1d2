"""``personaagent persona``: the user's own system prompt, and its versions."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_notice, print_result
from personaagent.cli.persona_views import difference_view, history_view, persona_view
from personaagent.cli.rules_text import rules_to_text, text_to_rules
from personaagent.cli.scorecard import show_scorecard
from personaagent.core.records import Persona
from personaagent.core.users import check_user_id
from personaagent.memory.persona_edits import (
    Difference,
    difference,
    edit_persona,
    publish_edited,
)

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.personas import Personas
    from personaagent.memory.user import UserMemory

T = TypeVar("T")

persona_app = typer.Typer(
    help="The rules that the agent follows for you, and their versions.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

RuleId = Annotated[
    str,
    typer.Argument(metavar="RULE", help="Id of the rule (r2) or weights (weights:genre)."),
]


@persona_app.command("show")
def show_persona(
    user: User,
    version: Annotated[int | None, typer.Option(help="Which version. Default: the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the rules, each with the episodes that are its evidence, and the weights."""

    async def read_version(memory: "UserMemory") -> Persona:
        if version is None:
            return await memory.personas.current()
        return await memory.personas.get(version)

    print_result(_with_memory(user, read_version), as_json, persona_view)


@persona_app.command()
def history(user: User, as_json: AsJson = False) -> None:
    """List all versions, oldest first."""

    async def read_history(memory: "UserMemory") -> list[Persona]:
        return await memory.personas.history()

    print_result(_with_memory(user, read_history), as_json, history_view)


@persona_app.command()
def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="The earlier version.")],
    after: Annotated[int, typer.Argument(metavar="B", help="The later version.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions, rule by rule and task by task."""

    async def compare_versions(memory: "UserMemory") -> Difference:
        return difference(await memory.personas.get(before), await memory.personas.get(after))

    print_result(_with_memory(user, compare_versions), as_json, difference_view)


@persona_app.command()
def edit(
    user: User,
    add: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Add a rule (repeatable).")
    ] = None,
    replace: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="RULE TEXT", help="Replace the text of a rule."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Remove a rule (repeatable).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the rules in your editor, or with --add, --replace and --remove.

    You can begin with it: your wishes count from the first answer on.
    """

    async def edit_rules(memory: "UserMemory") -> Persona:
        before = await memory.personas.current()
        if add or replace or remove:
            replaced = [replace] if replace else []
            edited = await edit_persona(
                memory.personas, added=add or [], replaced=replaced, removed=remove or []
            )
        else:
            edited = await _edit_in_editor(memory.personas, before, user)
        if edited.version == before.version:
            print_notice("Nothing was changed.")
        return edited

    print_result(_with_memory(user, edit_rules, new=True), as_json, persona_view)


@persona_app.command()
def lock(rule: RuleId, user: User, as_json: AsJson = False) -> None:
    """Lock a rule, or weights: only you can change them."""
    _set_lock(rule, user, as_json, locked=True)


@persona_app.command()
def unlock(rule: RuleId, user: User, as_json: AsJson = False) -> None:
    """Unlock a rule, or weights: alignment can change them again."""
    _set_lock(rule, user, as_json, locked=False)


@persona_app.command()
def rollback(
    version: Annotated[int, typer.Argument(metavar="V", help="The version to go back to.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Go back to the rules and weights of an earlier version; they become a new version."""

    async def roll_back(memory: "UserMemory") -> Persona:
        return await memory.personas.roll_back(version)

    print_result(_with_memory(user, roll_back), as_json, persona_view)


persona_app.command("scorecard")(show_scorecard)


def _set_lock(rule: str, user: str, as_json: bool, *, locked: bool) -> None:
    async def lock_rule(memory: "UserMemory") -> Persona:
        return await memory.personas.lock_rule(rule, locked=locked)

    print_result(_with_memory(user, lock_rule), as_json, persona_view)


async def _edit_in_editor(personas: "Personas", persona: Persona, user: str) -> Persona:
    from personaagent.cli.editor import edit_text

    next_id = await personas.next_rule_id()
    text = await edit_text(rules_to_text(persona, user))
    return await publish_edited(personas, persona, text_to_rules(text, persona, next_id))


def _with_memory(
    user: str, work: Callable[["UserMemory"], Awaitable[T]], *, new: bool = False
) -> T:
    """Run ``work`` on the memory of a known user, or with ``new`` of any."""
    check_user_id(user)

    async def work_on_memory(agent: "LocalAgent") -> T:
        return await work(agent.memory(user) if new else await known_user(agent, user))

    return run_with_agent(work_on_memory)
