"""The profile summary: written by the critic, from the previous one and the new episodes."""

from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.records import Episode, RoleUsage, Statement
from personaagent.memory.user import UserMemory
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

NEW_EPISODES = 40
CHUNK = 10
STATEMENTS = 24
SHOWN_CHARS = 400


class _Change(BaseModel):
    statement: str = Field(max_length=8, description='"new", or the id of a statement')
    text: str = Field(max_length=200)
    evidence: list[str] = Field(max_length=CHUNK)


class _Changes(BaseModel):
    changes: list[_Change] = Field(max_length=8)


async def refresh_summary(memory: UserMemory, critic: BaseChatModel) -> RoleUsage:
    """Bring the summary up to date with the user's new episodes, and keep it.

    The cost does not grow with history: at most the latest 40 new episodes are read, 10 a call,
    beside the summary so far. Only what the user said is shown, never the agent's own answer
    unless they accepted it. A statement that cites no episode that was shown is dropped.

    Returns:
        The critic's calls and tokens; no call where there is nothing new.
    """
    usage = RoleUsage()
    marks = await memory.profile.unsummarised()
    fresh = await memory.episodes.find([*marks][-NEW_EPISODES:])
    statements = (await memory.profile.read()).summary
    for start in range(0, len(fresh), CHUNK):
        chunk = fresh[start : start + CHUNK]
        prompt = render(
            "profile_summary", summary=_show_statements(statements), episodes=_show_episodes(chunk)
        )
        changes, used = await invoke_structured(
            critic, [HumanMessage(prompt)], _Changes, role="critic"
        )
        statements = _apply(changes.changes, statements, chunk)
        usage += used
    if fresh:
        await memory.profile.write_summary(statements, marks)
    return usage


def _apply(
    changes: Sequence[_Change], statements: Sequence[Statement], episodes: Sequence[Episode]
) -> list[Statement]:
    """The statements after the changes; a change without evidence that exists does nothing.

    A statement that is changed still says something of what it rested on before.
    """
    ids = {f"E{number}": episode.id for number, episode in enumerate(episodes, 1)}
    kept = {f"S{number}": statement for number, statement in enumerate(statements, 1)}
    added: list[Statement] = []
    for change in changes:
        evidence = list(dict.fromkeys(ids[each] for each in change.evidence if each in ids))
        text = " ".join(change.text.split())
        if not evidence:
            continue
        if change.statement in kept:
            if text:
                before = kept[change.statement].evidence
                rests_on = list(dict.fromkeys([*before, *evidence]))
                kept[change.statement] = Statement(text=text, evidence=rests_on)
            else:
                del kept[change.statement]
        elif text and text.casefold() not in {
            each.text.casefold() for each in (*kept.values(), *added)
        }:
            added.append(Statement(text=text, evidence=evidence))
    return [*kept.values(), *added][-STATEMENTS:]


def _show_statements(statements: Sequence[Statement]) -> str:
    lines = [f"S{number}: {each.text}" for number, each in enumerate(statements, 1)]
    return fence("summary", "\n".join(lines) or "(empty)")


def _show_episodes(episodes: Sequence[Episode]) -> str:
    shown = []
    for number, episode in enumerate(episodes, 1):
        text = f"E{number}: the user asked: {episode.query[:SHOWN_CHARS]}"
        if episode.ground_truth is not None:
            text += f"\nthe user wanted: {episode.ground_truth[:SHOWN_CHARS]}"
        shown.append(text)
    return fence("episodes", "\n\n".join(shown))
