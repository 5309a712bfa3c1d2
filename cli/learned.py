"""``personaagent learned``: how a persona has changed since some time, and why."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.alignment_views import pairs_view
from personaagent.cli.dates import shown_zone
from personaagent.cli.memory_views import episodes_view
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.cli.persona_views import describe_version, difference_view
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Persona, Record, now
from personaagent.core.users import check_user_id
from personaagent.memory.persona_edits import Difference, difference

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class LearnedVersion(Record):
    """A version: how it differs from the one before, its evidence, and the episodes of its test."""

    persona: Persona
    difference: Difference
    evidence: list[Episode]
    proved_on: list[Episode]


def learned(
    user: User,
    since: Annotated[
        str, typer.Option(help="How far back: 12h, 7d or 4w; or a date such as 2026-01-31.")
    ] = "7d",
    as_json: AsJson = False,
) -> None:
    """Show which rules changed, why, and how the answers improved."""
    check_user_id(user)
    start = start_of(since, now())

    async def read_versions(agent: "LocalAgent") -> list[LearnedVersion]:
        memory = await known_user(agent, user)
        versions = await memory.personas.history()
        return [
            await _learned_version(memory, before, after)
            for before, after in pairwise(versions)
            if after.created_at >= start
        ]

    print_result(run_with_agent(read_versions), as_json, _view)


def start_of(since: str, at: datetime) -> datetime:
    """The time that ``since`` means: a span before ``at``, or a date (its midnight here).

    Raises:
        UsageError: it is neither a span nor a date.
    """
    try:
        if match := re.fullmatch(r"(\d{1,6})([hdw])", since.strip()):
            return at - timedelta(**{UNITS[match[2]]: int(match[1])})
        day = datetime.fromisoformat(since.strip())
        return (day if day.tzinfo else day.replace(tzinfo=shown_zone())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--since '{since}' is not a time: use 12h, 7d or 4w, or a date such as 2026-01-31."
        ) from error


async def _learned_version(memory: "UserMemory", before: Persona, after: Persona) -> LearnedVersion:
    change = difference(before, after)
    new = [*change.added, *(rule.after for rule in change.changed)]
    cited = dict.fromkeys(episode for rule in new for episode in rule.evidence)
    pairs = after.proof.pairs if after.proof else []
    return LearnedVersion(
        persona=after,
        difference=change,
        evidence=await memory.episodes.find([*cited]),
        proved_on=await memory.episodes.find([pair.episode for pair in pairs]),
    )


def _view(versions: Sequence[LearnedVersion]) -> RenderableType:
    if not versions:
        return Text("(nothing has changed since then)", "dim")
    return Group(*map(_version_view, versions))


def _version_view(version: LearnedVersion) -> RenderableType:
    proof = version.persona.proof
    sections: list[RenderableType] = [difference_view(version.difference)]
    if version.evidence:
        sections += [Text("Why", "bold"), episodes_view(version.evidence)]
    if proof and proof.pairs:
        queries = {episode.id: episode.query for episode in version.proved_on}
        losses = pairs_view(proof.pairs, queries, answers=True)
        sections += [Text("Loss before -> after", "bold"), losses]
    title = Text(describe_version(version.persona), "bold")
    return Group(title, *(Padding(section, (0, 0, 0, 2), expand=False) for section in sections))
