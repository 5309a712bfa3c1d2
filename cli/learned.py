"""``personaagent learned``: what has changed in a persona since a moment, and why."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from personaagent.cli.alignment_views import pairs_view
from personaagent.cli.output import AsJson, show
from personaagent.cli.render import describe_version, difference_view, episodes_view
from personaagent.cli.run import User, known_user, run
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Persona, Record, now
from personaagent.core.users import check_user_id
from personaagent.memory.rules import Difference, difference

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class Learned(Record):
    """One version: what changed in it, the episodes that show why, and those it was proved on."""

    persona: Persona
    difference: Difference
    evidence: list[Episode]
    proved_on: list[Episode]


def learned(
    user: User,
    since: Annotated[
        str, typer.Option(help="How far back: 12h, 7d or 4w; or a date, as 2026-01-31.")
    ] = "7d",
    as_json: AsJson = False,
) -> None:
    """Show what changed in the rules, why, and what came of it."""
    check_user_id(user)
    start = moment(since, now())

    async def work(agent: "LocalAgent") -> list[Learned]:
        memory = await known_user(agent, user)
        versions = await memory.personas.history()
        return [
            await _learned(memory, before, after)
            for before, after in pairwise(versions)
            if after.created_at >= start
        ]

    show(run(work), as_json, _view)


def moment(since: str, at: datetime) -> datetime:
    """The moment that ``since`` means: so long before ``at``, or a date (its midnight in UTC).

    Raises:
        UsageError: it means none.
    """
    try:
        if match := re.fullmatch(r"(\d{1,6})([hdw])", since.strip()):
            return at - timedelta(**{UNITS[match[2]]: int(match[1])})
        day = datetime.fromisoformat(since.strip())
        return day.astimezone(UTC) if day.tzinfo else day.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--since '{since}' is no time: say 12h, 7d or 4w, or a date as 2026-01-31."
        ) from error


async def _learned(memory: "UserMemory", before: Persona, after: Persona) -> Learned:
    change = difference(before, after)
    new = [*change.added, *(each.after for each in change.changed)]
    cited = dict.fromkeys(episode for rule in new for episode in rule.evidence)
    pairs = after.proof.pairs if after.proof else []
    return Learned(
        persona=after,
        difference=change,
        evidence=await memory.episodes.find([*cited]),
        proved_on=await memory.episodes.find([pair.episode for pair in pairs]),
    )


def _view(versions: Sequence[Learned]) -> RenderableType:
    none = Text("(nothing has changed since then)", "dim")
    return Group(*map(_version_view, versions)) if versions else none


def _version_view(learned: Learned) -> RenderableType:
    proof = learned.persona.proof
    parts: list[RenderableType] = [difference_view(learned.difference)]
    if learned.evidence:
        parts += [Text("Why", "bold"), episodes_view(learned.evidence)]
    if proof and proof.pairs:
        queries = {each.id: each.query for each in learned.proved_on}
        shown = pairs_view(proof.pairs, queries, answers=True)
        parts += [Text("Loss before -> after", "bold"), shown]
    title = Text(describe_version(learned.persona), "bold")
    return Group(title, *(Padding(part, (0, 0, 0, 2), expand=False) for part in parts))
