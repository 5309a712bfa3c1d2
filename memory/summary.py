"""The profile summary, which the critic writes from the previous one and the new episodes."""

from collections.abc import Mapping, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.records import Episode, RoleUsage, Statement
from personaagent.memory.user import UserMemory
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

MAX_EPISODES = 40
EPISODES_PER_CALL = 10
MAX_STATEMENTS = 24
SUMMARISED_CHARS = 400
"""Characters shown of each query and ground truth."""


class _StatementChange(BaseModel):
    statement: str = Field(max_length=8, description='"new", or the id of a statement')
    text: str = Field(max_length=200)
    evidence: list[str] = Field(max_length=EPISODES_PER_CALL)


class _Changes(BaseModel):
    changes: list[_StatementChange] = Field(max_length=8)


async def refresh_summary(memory: UserMemory, critic: BaseChatModel) -> RoleUsage:
    """Update the summary with the user's new episodes, and store it.

    The cost does not grow with history: the critic reads at most the latest 40 new episodes, 10 in
    a call, beside the summary so far. It sees what the user asked and wanted, and an answer of the
    agent's only if the user accepted it. A statement that cites none of these episodes is dropped.

    Returns:
        The critic's calls and tokens; no calls if there is nothing new.
    """
    usage = RoleUsage()
    pending = await memory.profile.unsummarised()
    new_episodes = await memory.episodes.find([*pending][-MAX_EPISODES:])
    statements = (await memory.profile.read()).summary
    for start in range(0, len(new_episodes), EPISODES_PER_CALL):
        chunk = new_episodes[start : start + EPISODES_PER_CALL]
        prompt = render(
            "profile_summary",
            summary=_format_statements(statements),
            episodes=_format_episodes(chunk),
        )
        changes, used = await invoke_structured(
            critic, [HumanMessage(prompt)], _Changes, role="critic"
        )
        statements = _apply(changes.changes, statements, chunk)
        usage += used
    if new_episodes:
        await memory.profile.write_summary(statements, pending)
    return usage


def _apply(
    changes: Sequence[_StatementChange], statements: Sequence[Statement], shown: Sequence[Episode]
) -> list[Statement]:
    """The statements after the changes. A change without evidence among ``shown`` has no effect.

    A changed statement keeps its earlier evidence: it still says something about it.
    """
    episode_ids = {f"E{number}": episode.id for number, episode in enumerate(shown, 1)}
    current = {f"S{number}": statement for number, statement in enumerate(statements, 1)}
    added: list[Statement] = []
    for change in changes:
        evidence = _cited_episodes(change.evidence, episode_ids)
        text = " ".join(change.text.split())
        if not evidence:
            continue
        if change.statement in current:
            _revise(current, change.statement, text, evidence)
        elif text and not _contains(text, [*current.values(), *added]):
            added.append(Statement(text=text, evidence=evidence))
    return [*current.values(), *added][-MAX_STATEMENTS:]


def _cited_episodes(cited: Sequence[str], episode_ids: Mapping[str, str]) -> list[str]:
    """The ids of the cited episodes, each once; citations of others are dropped."""
    return list(dict.fromkeys(episode_ids[cite] for cite in cited if cite in episode_ids))


def _revise(
    statements: dict[str, Statement], number: str, text: str, evidence: Sequence[str]
) -> None:
    """Replace the text of a statement, or delete it if ``text`` is empty."""
    if text:
        combined = list(dict.fromkeys([*statements[number].evidence, *evidence]))
        statements[number] = Statement(text=text, evidence=combined)
    else:
        del statements[number]


def _contains(text: str, statements: Sequence[Statement]) -> bool:
    """Whether one of the statements has this text."""
    return text.casefold() in {statement.text.casefold() for statement in statements}


def _format_statements(statements: Sequence[Statement]) -> str:
    lines = [f"S{number}: {statement.text}" for number, statement in enumerate(statements, 1)]
    return fence("summary", "\n".join(lines) or "(empty)")


def _format_episodes(episodes: Sequence[Episode]) -> str:
    shown = []
    for number, episode in enumerate(episodes, 1):
        text = f"E{number}: the user asked: {episode.query[:SUMMARISED_CHARS]}"
        if episode.ground_truth is not None:
            text += f"\nthe user wanted: {episode.ground_truth[:SUMMARISED_CHARS]}"
        shown.append(text)
    return fence("episodes", "\n\n".join(shown))
