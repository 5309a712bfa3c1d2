"""``personaagent persona``: the user's own system prompt, and its versions."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from personaagent.cli.output import AsJson, notice, show
from personaagent.cli.render import difference_view, history_view, persona_view
from personaagent.cli.rules import from_text, to_text
from personaagent.cli.run import User, known_user, run
from personaagent.cli.scorecard import show_scorecard
from personaagent.core.records import Persona
from personaagent.core.users import check_user_id
from personaagent.memory.rules import Difference, difference, publish_edited, with_changes

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

T = TypeVar("T")

persona_app = typer.Typer(
    help="The rules by which you are answered, and their versions.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

RuleId = Annotated[str, typer.Argument(metavar="RULE", help="Id of the rule, as r2.")]


@persona_app.command("show")
def show_persona(
    user: User,
    version: Annotated[int | None, typer.Option(help="Which version. Default: the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the rules, with the episodes that each rests on."""

    async def work(memory: "UserMemory") -> Persona:
        return await (
            memory.personas.current() if version is None else memory.personas.get(version)
        )

    show(_with_memory(user, work), as_json, persona_view)


@persona_app.command()
def history(user: User, as_json: AsJson = False) -> None:
    """List all versions, oldest first."""

    async def work(memory: "UserMemory") -> list[Persona]:
        return await memory.personas.history()

    show(_with_memory(user, work), as_json, history_view)


@persona_app.command()
def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="The earlier version.")],
    after: Annotated[int, typer.Argument(metavar="B", help="The later version.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions, rule by rule."""

    async def work(memory: "UserMemory") -> Difference:
        return difference(await memory.personas.get(before), await memory.personas.get(after))

    show(_with_memory(user, work), as_json, difference_view)


@persona_app.command()
def edit(
    user: User,
    add: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Add a rule (repeatable).")
    ] = None,
    replace: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="RULE TEXT", help="Put a text in place of a rule's."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Take a rule out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the rules in your editor, or by --add, --replace and --remove."""

    async def work(memory: "UserMemory") -> Persona:
        persona, next_id = await memory.personas.current(), await memory.personas.next_rule_id()
        if add or replace or remove:
            replaced = [replace] if replace else []
            rules = with_changes(
                persona, next_id, added=add or [], replaced=replaced, removed=remove or []
            )
        else:
            from personaagent.cli.editor import edit_text

            text = await edit_text(to_text(persona, user))
            rules = from_text(text, persona, next_id)
        published = await publish_edited(memory.personas, persona, rules)
        if published is persona:
            notice("Nothing was changed.")
        return published

    show(_with_memory(user, work), as_json, persona_view)


@persona_app.command()
def lock(rule: RuleId, user: User, as_json: AsJson = False) -> None:
    """Lock a rule: nobody but you changes it."""
    show(
        _with_memory(user, lambda m: m.personas.lock_rule(rule, locked=True)), as_json, persona_view
    )


@persona_app.command()
def unlock(rule: RuleId, user: User, as_json: AsJson = False) -> None:
    """Unlock a rule: it may be learned anew."""
    show(
        _with_memory(user, lambda m: m.personas.lock_rule(rule, locked=False)),
        as_json,
        persona_view,
    )


@persona_app.command()
def rollback(
    version: Annotated[int, typer.Argument(metavar="V", help="The version to go back to.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Go back to the rules of an earlier version (as a new version)."""
    show(_with_memory(user, lambda m: m.personas.roll_back(version)), as_json, persona_view)


persona_app.command("scorecard")(show_scorecard)


def _with_memory(user: str, work: Callable[["UserMemory"], Awaitable[T]]) -> T:
    check_user_id(user)

    async def on(agent: "LocalAgent") -> T:
        return await work(await known_user(agent, user))

    return run(on)
