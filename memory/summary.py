"""The profile summary, which the critic writes from the previous one and the new episodes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from personaagent.core.calendar import day_in
from personaagent.core.records import Episode, RoleUsage, Statement
from personaagent.core.text import shorten
from personaagent.memory.summary_changes import EPISODES_PER_CALL, Changes, apply_changes, dated
from personaagent.memory.summary_links import superseded_episodes
from personaagent.memory.user import UserMemory
from personaagent.memory.user_store import StoredValue
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

MAX_CALLS = 40
SUMMARISED_CHARS = 400
"""Characters shown of each query and ground truth."""
EARLIER_EPISODES, EARLIER_CHARS = 4, 80
"""Earlier episodes shown under each statement, the newest, and characters of their queries."""

Pending = Mapping[str, StoredValue]
Progress = Callable[[int, int], None]
"""Takes how many episodes were read, and how many there are to read."""


class SummaryRefresh(RoleUsage):
    """What a refresh cost, how many episodes it ``read``, and how many wait for the next one."""

    read: int = 0
    remaining: int = 0


def _always() -> bool:
    return True


async def refresh_summary(
    memory: UserMemory,
    critic: BaseChatModel,
    *,
    max_calls: int = MAX_CALLS,
    zone: tzinfo = UTC,
    may_continue: Callable[[], bool] = _always,
    progress: Progress | None = None,
) -> SummaryRefresh:
    """Update the summary with all new episodes, oldest first, and store it after each call.

    A call of the critic reads 10 episodes beside the summary so far: what the user asked and
    wanted, and an answer of the agent's only if the user accepted it. What it read counts as read
    from then on, so that a refresh which is interrupted goes on where it stood. How the critic's
    answer changes the statements is in ``summary_changes.py``, which episodes it supersedes in
    ``summary_links.py``.

    Args:
        memory: the user's, with nothing hidden.
        critic: the model.
        max_calls: calls of the critic at most; the rest is left to the next refresh.
        zone: the user's time zone, for the days that the critic is told.
        may_continue: asked between two calls; False ends the refresh.
        progress: told after each call.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_structured`` raises them. What was read
            before stays read.
    """
    pending = await memory.profile.unsummarised()
    usage, read = RoleUsage(), 0
    for chunk in islice(_chunks(pending), max_calls):
        if read and not may_continue():
            break
        usage += await _read_chunk(memory, critic, chunk, zone)
        read += len(chunk)
        if progress is not None:
            progress(read, len(pending))
    return SummaryRefresh(**usage.model_dump(), read=read, remaining=len(pending) - read)


def _chunks(pending: Pending) -> Iterator[dict[str, StoredValue]]:
    entries = iter(pending.items())
    while chunk := dict(islice(entries, EPISODES_PER_CALL)):
        yield chunk


async def _read_chunk(
    memory: UserMemory, critic: BaseChatModel, chunk: dict[str, StoredValue], zone: tzinfo
) -> RoleUsage:
    """Have the critic read the episodes of ``chunk``, and store what it makes of the summary."""
    stored = (await memory.profile.read()).summary
    cited = await _cited(stored, memory)
    statements = dated(stored, {id: each.created_at for id, each in cited.items()})
    earlier = _earlier(statements, cited)
    episodes = [each for each in await memory.episodes.find([*chunk]) if not each.discarded]
    if not episodes:  # forgotten or discarded meanwhile
        return RoleUsage()
    prompt = render(
        "profile_summary",
        summary=_format_statements(statements, earlier, zone),
        episodes=_format_episodes(episodes, zone),
    )
    answer, usage = await invoke_structured(critic, [HumanMessage(prompt)], Changes, role="critic")
    proposed = apply_changes(answer.changes, statements, episodes)
    await memory.profile.write_summary(proposed, chunk, stored)
    named = earlier | {f"E{number}": episode for number, episode in enumerate(episodes, 1)}
    after = (await memory.profile.read()).summary
    links = superseded_episodes(answer.changes, stored, after, named)
    await memory.episodes.supersede_outdated(links)
    return usage


async def _cited(statements: Sequence[Statement], memory: UserMemory) -> dict[str, Episode]:
    """The episodes that the statements rest on, by id."""
    cited = {id for statement in statements for id in statement.evidence}
    return {each.id: each for each in await memory.episodes.find(sorted(cited))}


def _earlier(statements: Sequence[Statement], cited: Mapping[str, Episode]) -> dict[str, Episode]:
    """The newest episodes behind each statement that the critic may change, by the name that it
    reads: those of a statement that no longer holds may be outdated with it."""
    shown: dict[str, Episode] = {}
    for statement in statements:
        evidence = (cited[id] for id in statement.evidence if id in cited and not statement.fixed)
        episodes = [e for e in evidence if e.superseded_by is None and not e.discarded]
        newest = sorted(episodes, key=lambda each: each.created_at)[-EARLIER_EPISODES:]
        shown |= {each.id: each for each in newest}
    return {f"P{number}": episode for number, episode in enumerate(shown.values(), 1)}


def _format_statements(
    statements: Sequence[Statement], earlier: Mapping[str, Episode], zone: tzinfo
) -> str:
    lines = []
    for number, statement in enumerate(statements, 1):
        lines.append(f"S{number}: {statement.text}{_as_of(statement.as_of, zone)}")
        lines += [
            f"  {name}: {shorten(' '.join(episode.query.split()), EARLIER_CHARS)}"
            for name, episode in earlier.items()
            if episode.id in statement.evidence and not statement.fixed
        ]
    return fence("summary", "\n".join(lines) or "(empty)")


def _as_of(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else f" (as of {day_in(zone, moment)})"


def _format_episodes(episodes: Sequence[Episode], zone: tzinfo) -> str:
    shown = []
    for number, episode in enumerate(episodes, 1):
        text = f"On {day_in(zone, episode.created_at)}:\n"
        text += f"E{number}: the user asked: {episode.query[:SUMMARISED_CHARS]}"
        if episode.ground_truth is not None:
            text += f"\nthe user wanted: {episode.ground_truth[:SUMMARISED_CHARS]}"
        shown.append(text)
    return fence("episodes", "\n\n".join(shown))
