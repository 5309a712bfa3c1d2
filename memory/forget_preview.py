"""What forgetting an episode would take along, before anything goes."""

from personaagent.core.records import Record, Rule, Statement
from personaagent.memory.derived import Derived, derived_from
from personaagent.memory.episodes import blanked
from personaagent.memory.hiding import Hidden
from personaagent.memory.rule_evidence import unsupported_rules
from personaagent.memory.statement_checks import without_evidence
from personaagent.memory.user import UserMemory


class ForgetPreview(Record):
    """What would go, as ``Receipt`` has it; and the rules and statements that rest on these episodes
    and would stay, because they rest on others too.

    ``threads`` are the conversations that would go whole.
    """

    episodes: list[str]
    rules: list[Rule]
    statements: list[Statement]
    threads: list[str]
    blanked: list[str]
    remaining_rules: list[Rule]
    remaining_statements: list[Statement]


async def preview_forgetting(
    memory: UserMemory, episode_id: str, derived: Derived = "blank"
) -> ForgetPreview:
    """What ``forget`` would do to this episode and what rests on it; nothing is changed.

    Raises:
        UnknownEpisode: there is no such episode.
    """
    episode = await memory.episodes.get(episode_id)
    answers = await derived_from(memory, [episode.id])
    with_it = answers if derived == "forget" else []
    emptied = {each.id for each in blanked(answers)} if derived == "blank" else set[str]()
    gone = {episode.id, *(each.id for each in with_it)}
    rules, remaining_rules = await _rules(memory, gone)
    statements, remaining_statements = await _statements(memory, gone)
    labels = await memory.hiding(Hidden(frozenset(gone))).profile.nameable_labels()
    return ForgetPreview(
        episodes=sorted(gone),
        rules=rules,
        statements=statements,
        threads=sorted(await memory.conversations.threads_with(gone | emptied, labels)),
        blanked=sorted(emptied),
        remaining_rules=remaining_rules,
        remaining_statements=remaining_statements,
    )


async def _rules(memory: UserMemory, gone: set[str]) -> tuple[list[Rule], list[Rule]]:
    """The rules that would go, of all versions; and those of the current one that would stay."""
    personas = await memory.personas.history()
    unsupported = {rule.id: rule for each in personas for rule in unsupported_rules(each, gone)}
    staying = [rule for rule in personas[-1].rules if rule.id not in unsupported]
    return list(unsupported.values()), [r for r in staying if not gone.isdisjoint(r.evidence)]


async def _statements(
    memory: UserMemory, gone: set[str]
) -> tuple[list[Statement], list[Statement]]:
    statements = (await memory.profile.statements.read()).statements
    staying = {each.id for each in without_evidence(statements, gone)}
    resting = [each for each in statements if not gone.isdisjoint(each.evidence)]
    return (
        [each for each in resting if each.id not in staying],
        [each for each in resting if each.id in staying],
    )
