"""Asking the user before a persona is published: the proposal that they see, and their answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.types import interrupt
from pydantic import ValidationError

from personaagent.core.alignment import (
    OwnRule,
    Proposal,
    ProposalDecision,
    RuleChange,
    ShownEpisode,
    ShownPair,
)
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.audience import told
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Rule
from personaagent.memory.persona_edits import ids_from, new_rule, rewritten
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.strategies.protocols import FinalPersona


async def approved(
    run: AlignmentRun, final: FinalPersona, memory: UserMemory, thread: str | None
) -> list[Rule] | None:
    """The rules that the user approves: those proposed, or their own edit of them; None for none.

    The run is interrupted until they have answered, and asks again if an edit cannot be used. Only
    True and a decision to approve approve: a client may resume with anything.
    """
    proposal = await _proposal(run, final, memory, thread)
    next_id = await memory.personas.next_rule_id()
    while True:
        answer = interrupt(proposal.stored())
        try:
            return _answered(_decision(answer), run.initial_rules, final.rules, next_id)
        except UsageError as error:
            proposal = proposal.model_copy(update={"problem": told(error)})


def _decision(answer: Any) -> ProposalDecision:
    if not isinstance(answer, dict):
        return ProposalDecision(decision="approve" if answer is True else "refuse")
    try:
        return ProposalDecision.model_validate(answer)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(['answer', *map(str, problem['loc'])])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise UsageError(f"The answer cannot be used: {problems}.") from error


def _answered(
    decision: ProposalDecision, before: Sequence[Rule], proposed: Sequence[Rule], next_id: str
) -> list[Rule] | None:
    if decision.decision == "approve":
        return [*proposed]
    if decision.decision == "refuse":
        return None
    edited = _edited(decision.rules, [*proposed, *before], next_id)
    return None if edited == [*before] else edited


def _edited(own_rules: Sequence[OwnRule], rules: Sequence[Rule], next_id: str) -> list[Rule]:
    """The rules as the user wants them; a rule that they left unchanged keeps its evidence.

    Raises:
        UsageError: a rule is not among ``rules``, is listed twice, or has an unusable text.
    """
    _check_ids([own.id for own in own_rules if own.id is not None], rules)
    new_ids = ids_from(_above(rules, next_id))
    edited: list[Rule] = []
    for own in own_rules:
        rule = new_rule(next(new_ids), own.text) if own.id is None else _rewritten(own, rules)
        locked = rule.locked if own.locked is None else own.locked
        edited.append(rule.model_copy(update={"locked": locked}))
    return edited


def _check_ids(ids: Sequence[str], rules: Sequence[Rule]) -> None:
    known_ids = {rule.id for rule in rules}
    for rule_id in ids:
        if rule_id not in known_ids or ids.count(rule_id) > 1:
            raise UsageError(f"There is no rule '{rule_id}', or it is listed twice.")


def _rewritten(own: OwnRule, rules: Sequence[Rule]) -> Rule:
    """The rule of that id: as it was, before or after, if its text is the same; else rewritten."""
    versions = [rule for rule in rules if rule.id == own.id]
    unchanged = [rule for rule in versions if rule.text.split() == own.text.split()]
    return rewritten([*unchanged, *versions][0], own.text)


def _above(rules: Sequence[Rule], next_id: str) -> str:
    """A rule id above ``next_id`` and those of ``rules``."""
    numbers = [rule.id.removeprefix("r") for rule in rules]
    highest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return f"r{max(highest + 1, int(next_id.removeprefix('r')))}"


async def _proposal(
    run: AlignmentRun, final: FinalPersona, memory: UserMemory, thread: str | None
) -> Proposal:
    """What the user sees. The thread, which will hold its text, is noted with the episodes."""
    changes = _changed(run.initial_rules, final.rules)
    cited = {id for pair in changes for rule in pair if rule for id in rule.evidence}
    episode_ids = sorted(cited.union(pair.episode for pair in final.pairs))
    if thread:
        await memory.conversations.note(thread, episode_ids, key="proposal")
    shown = {e.id: _shown(e) for e in await memory.episodes.find(episode_ids)}
    return Proposal(
        from_version=run.from_version,
        changes=[_rule_change(before, after, shown) for before, after in changes],
        rules_before=run.initial_rules,
        rules_after=final.rules,
        weights_before=run.initial_weights,
        weights_after=final.weights,
        pairs=_shown_pairs(final, shown),
    )


def _changed(
    before: Sequence[Rule], after: Sequence[Rule]
) -> list[tuple[Rule | None, Rule | None]]:
    """The rules that differ, as (before, after); None where a rule is added or removed."""
    old, new = {rule.id: rule for rule in before}, {rule.id: rule for rule in after}
    pairs = [(old.get(rule_id), new.get(rule_id)) for rule_id in old | new]
    return [
        (rule_before, rule_after) for rule_before, rule_after in pairs if rule_before != rule_after
    ]


def _rule_change(
    before: Rule | None, after: Rule | None, shown: Mapping[str, ShownEpisode]
) -> RuleChange:
    rule = after or before
    assert rule is not None
    return RuleChange(
        action="add" if before is None else "remove" if after is None else "replace",
        rule=rule.id,
        before=before.text if before else "",
        after=after.text if after else "",
        evidence=[shown[episode_id] for episode_id in rule.evidence if episode_id in shown],
    )


def _shown(episode: Episode) -> ShownEpisode:
    wanted = episode.ground_truth or ""
    return ShownEpisode(episode=episode.id, query=episode.query, wanted=wanted)


def _shown_pairs(final: FinalPersona, shown: Mapping[str, ShownEpisode]) -> list[ShownPair]:
    return [
        ShownPair(
            **pair.model_dump(),
            query=shown[pair.episode].query,
            wanted=shown[pair.episode].wanted,
        )
        for pair in final.pairs
        if pair.episode in shown
    ]
