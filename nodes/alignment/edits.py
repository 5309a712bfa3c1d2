"""Edits of one rule: what may be done, and doing it."""

from collections.abc import Sequence

from personaagent.core.alignment import Operation
from personaagent.core.records import Rule
from personaagent.nodes.alignment.critique_input import CritiqueInput
from personaagent.nodes.alignment.guard import refusal


def edited(rules: Sequence[Rule], operation: Operation, next_id: str) -> list[Rule]:
    """The rules after the edit; a rule that is added bears ``next_id``.

    A rule that is replaced keeps its id, and the evidence that it had beside the new.
    """
    match operation.action:
        case "add":
            added = Rule(id=next_id, text=operation.text, evidence=operation.evidence)
            return [*rules, added]
        case "remove":
            return [rule for rule in rules if rule.id != operation.rule]
        case "replace":
            return [_replaced(r, operation) if r.id == operation.rule else r for r in rules]


def refusal_of(operation: Operation, case: CritiqueInput) -> str | None:
    """Why alignment may not make this edit, in one sentence; None if it may."""
    rules = {rule.id: rule for rule in case.rules}
    if operation.action != "add":
        if operation.rule not in rules:
            return f"there is no rule {operation.rule or 'without an id'}"
        if rules[operation.rule].locked:
            return f"{operation.rule} is locked"
    if operation.action == "remove":
        return None
    if not operation.text:
        return "the new text is missing"
    if operation.text.casefold() in {" ".join(r.text.split()).casefold() for r in case.rules}:
        return "there is such a rule already"
    grown = [*edited(case.rules, operation, "new")]
    if sum(len(rule.text) for rule in grown) > case.deps.settings.persona_chars:
        return "the persona would be too long: replace or remove a rule"
    cited = [episode for episode in case.batch if episode.id in operation.evidence]
    shown = [loss.simulated for loss in case.losses.values()]
    shown += [e.ground_truth or "" for e in case.batch if e.id not in operation.evidence]
    return refusal(operation.text, cited, shown, case.deps.settings)


def _replaced(rule: Rule, operation: Operation) -> Rule:
    evidence = list(dict.fromkeys(rule.evidence + operation.evidence))
    return rule.model_copy(update={"text": operation.text, "evidence": evidence})
