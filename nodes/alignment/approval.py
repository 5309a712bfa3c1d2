"""Asking the user before a persona is published: what they are shown, and what their answer means."""

from collections.abc import Sequence
from typing import Any

from langgraph.types import interrupt
from pydantic import ValidationError

from personaagent.core.alignment import Change, Decision, OwnRule, Proposal, Shown, ShownPair
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Pair, Rule
from personaagent.memory.persona_edits import ids_from, new_rule, rewritten
from personaagent.memory.user import UserMemory


async def approved(
    memory: UserMemory,
    parent: int,
    before: Sequence[Rule],
    after: Sequence[Rule],
    pairs: Sequence[Pair],
    thread: str | None,
) -> list[Rule] | None:
    """The rules that the user lets be published: ``after``, or their own edit of it; None for none.

    The run is interrupted until they have answered, and asks again where an edit cannot be used.
    Nothing but True and a decision to approve approves: a client may resume with anything.
    """
    proposal = await _proposal(memory, parent, before, after, pairs, thread)
    next_id = await memory.personas.next_rule_id()
    while True:
        answer = interrupt(proposal.stored())
        try:
            decision = _decision(answer)
            if decision.decision == "approve":
                return [*after]
            if decision.decision == "refuse":
                return None
            edited = _edited(decision.rules, [*after, *before], next_id)
            return None if edited == [*before] else edited
        except UsageError as error:
            proposal = proposal.model_copy(update={"problem": str(error)})


def _decision(answer: Any) -> Decision:
    if not isinstance(answer, dict):
        return Decision(decision="approve" if answer is True else "refuse")
    try:
        return Decision.model_validate(answer)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(['answer', *map(str, e['loc'])])}: {e['msg']}" for e in error.errors()
        )
        raise UsageError(f"The answer cannot be used: {wrong}.") from error


def _edited(own: Sequence[OwnRule], known: Sequence[Rule], next_id: str) -> list[Rule]:
    """The rules as the user wants them; what they did not change keeps its evidence.

    Raises:
        UsageError: a rule is not ``known``, stands there twice, or has no text that can be used.
    """
    ids = ids_from(_above(known, next_id))
    rules: list[Rule] = []
    for each in own:
        same = [rule for rule in known if rule.id == each.id]
        if each.id is None:
            rule = new_rule(next(ids), each.text)
        elif not same or any(rule.id == each.id for rule in rules):
            raise UsageError(f"There is no rule '{each.id}', or it stands there twice.")
        else:
            as_it_was = [rule for rule in same if rule.text.split() == each.text.split()]
            rule = rewritten([*as_it_was, *same][0], each.text)
        locked = rule.locked if each.locked is None else each.locked
        rules.append(rule.model_copy(update={"locked": locked}))
    return rules


def _above(known: Sequence[Rule], next_id: str) -> str:
    numbers = [rule.id.removeprefix("r") for rule in known]
    highest = max((int(each) for each in numbers if each.isdecimal()), default=0)
    return f"r{max(highest + 1, int(next_id.removeprefix('r')))}"


async def _proposal(
    memory: UserMemory,
    parent: int,
    before: Sequence[Rule],
    after: Sequence[Rule],
    pairs: Sequence[Pair],
    thread: str | None,
) -> Proposal:
    """What the user is shown; the thread, which will hold its text, is noted with the episodes."""
    old, new = {rule.id: rule for rule in before}, {rule.id: rule for rule in after}
    touched = [id for id in {**old, **new} if old.get(id) != new.get(id)]
    cited = {
        e for id in touched for rule in (old.get(id), new.get(id)) if rule for e in rule.evidence
    }
    ids = sorted(cited.union(pair.episode for pair in pairs))
    if thread:
        await memory.conversations.note(thread, ids, key="proposal")
    shown = {each.id: _shown(each) for each in await memory.episodes.find(ids)}
    return Proposal(
        from_version=parent,
        changes=[_change(old.get(id), new.get(id), shown) for id in touched],
        rules_before=[*before],
        rules_after=[*after],
        pairs=[
            ShownPair(
                **pair.model_dump(),
                query=shown[pair.episode].query,
                wanted=shown[pair.episode].wanted,
            )
            for pair in pairs
            if pair.episode in shown
        ],
    )


def _change(old: Rule | None, new: Rule | None, shown: dict[str, Shown]) -> Change:
    rule = new or old
    assert rule is not None
    return Change(
        action="add" if old is None else "remove" if new is None else "replace",
        rule=rule.id,
        before=old.text if old else "",
        after=new.text if new else "",
        evidence=[shown[each] for each in rule.evidence if each in shown],
    )


def _shown(episode: Episode) -> Shown:
    return Shown(episode=episode.id, query=episode.query, wanted=episode.ground_truth or "")
