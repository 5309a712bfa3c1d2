"""What forgetting an episode would take along, before anything goes."""

from pydantic import Field

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.derived import blanked, derived_from
from personaagent.memory.hiding import Hidden
from personaagent.memory.rule_evidence import unsupported_rules
from personaagent.memory.statement_checks import without_evidence
from personaagent.memory.user import UserMemory


class ForgetPreview(Record):
    """What would go with an episode, where the answers that were drawn from it are blanked.

    ``rules`` of the current persona and ``statements`` rest on it alone. ``threads`` are the
    conversations that contain it. ``blanked`` are the episodes that would lose their answer.
    """

    rules: list[Rule] = Field(default_factory=list)
    statements: list[Statement] = Field(default_factory=list)
    threads: list[str] = Field(default_factory=list)
    blanked: list[str] = Field(default_factory=list)


async def preview_forgetting(memory: UserMemory, episode_id: str) -> ForgetPreview:
    """What ``forget`` would do now; nothing is written.

    Raises:
        UnknownEpisode: there is no such episode.
    """
    episode = await memory.episodes.get(episode_id)
    ids = {episode.id}
    without = {each.id for each in blanked(await derived_from(memory, ids))}
    labels = await memory.hiding(Hidden(frozenset(ids))).profile.nameable_labels()
    summary = (await memory.profile.read()).summary
    remaining = {each.id for each in without_evidence(summary, ids)}
    exists = await memory.personas.exist()
    return ForgetPreview(
        rules=unsupported_rules(await memory.personas.current(), ids) if exists else [],
        statements=[each for each in summary if each.id not in remaining],
        threads=sorted(await memory.conversations.threads_with(ids | without, labels)),
        blanked=sorted(without),
    )
