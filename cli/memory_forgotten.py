"""``personaagent memory forgotten``: when and how much the user forgot; never what."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.dates import shown_minute
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.cli.tables import listing
from personaagent.core.counting import counted
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.forgettings import Forgetting


def forgotten(
    user: User,
    limit: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was forgotten, newest first: when and how much. Of what it was, nothing is kept.

    An import does not bring it back. Forgetting everything forgets this list, too.
    """
    check_user_id(user)

    async def read(agent: "LocalAgent") -> dict[str, Any]:
        from personaagent.memory.forgettings import Forgettings

        forgettings = Forgettings((await known_user(agent, user)).store)
        newest = await forgettings.newest(limit)
        return {"forgettings": newest, "unlisted": await forgettings.unlisted()}

    print_result(
        run_with_agent(read), as_json, lambda read: _view(read["forgettings"], read["unlisted"])
    )


def _view(entries: Sequence["Forgetting"], unlisted: int) -> RenderableType:
    items = [(Text(shown_minute(each.at), "dim"), Text(_counts(each))) for each in entries]
    more = f"{counted(unlisted, 'episode')} more: forgotten earlier, or on another machine."
    if not items and not unlisted:
        return Text("(nothing was forgotten)", "dim")
    return Group(*([listing(items)] if items else []), *([Text(more)] if unlisted else []))


def _counts(entry: "Forgetting") -> str:
    counts = {
        "episode": entry.episodes,
        "statement": entry.statements,
        "rule": entry.rules,
        "conversation": entry.threads,
    }
    named = [counted(count, name) for name, count in counts.items() if count]
    if entry.blanked:
        named.append(f"the text of {counted(entry.blanked, 'answer')}")
    return ", ".join(named)
