"""Edits of one rule: which ones alignment may make, and making them."""

from collections.abc import Iterable, Sequence

from personaagent.core.alignment import Loss, Operation
from personaagent.core.records import Rule
from personaagent.nodes.alignment.answer_scores import bare_label
from personaagent.nodes.alignment.critique_input import CritiqueInput
from personaagent.nodes.alignment.guard import refusal
from personaagent.nodes.alignment.names import says
from personaagent.nodes.alignment.plain_rules import unclear


def edited(rules: Sequence[Rule], operation: Operation, next_id: str) -> list[Rule]:
    """The rules after the edit; an added rule gets ``next_id``.

    A replaced rule keeps its id, and its earlier evidence beside the new.
    """
    match operation.action:
        case "add":
            added = Rule(id=next_id, text=operation.text, evidence=operation.evidence)
            return [*rules, added]
        case "remove":
            return [rule for rule in rules if rule.id != operation.rule]
        case "replace":
            return [_replaced(r, operation) if r.id == operation.rule else r for r in rules]


def refusal_of(operation: Operation, critique_input: CritiqueInput) -> str | None:
    """Why alignment may not make this edit, in one sentence; None if it may."""
    reason = _refusal_of_target(operation, critique_input.rules)
    if reason or operation.action == "remove":
        return reason
    return _refusal_of_text(operation, critique_input) or _refusal_by_guard(
        operation, critique_input
    )


def _refusal_of_target(operation: Operation, rules: Sequence[Rule]) -> str | None:
    if operation.action == "add":
        return None
    target = next((rule for rule in rules if rule.id == operation.rule), None)
    if target is None:
        return f"there is no rule {operation.rule or 'without an id'}"
    return f"{operation.rule} is locked" if target.locked else None


def _refusal_of_text(operation: Operation, critique_input: CritiqueInput) -> str | None:
    rules = critique_input.rules
    if not operation.text:
        return "the new text is missing"
    if operation.text.casefold() in {" ".join(rule.text.split()).casefold() for rule in rules}:
        return "there is such a rule already"
    length = sum(len(rule.text) for rule in edited(rules, operation, "new"))
    if length > critique_input.deps.settings.persona_chars:
        return "the persona would be too long: replace or remove a rule"
    if swaps_answers(operation.text, critique_input.losses.values()):
        return "the rule puts one label in place of another: weights learn how often each is right"
    return unclear(operation.text)


def swaps_answers(rule: str, losses: Iterable[Loss]) -> bool:
    """Whether the rule names both the label that the user wanted and the one that was given instead.

    "Say drama instead of comedy" corrects that question, and spoils each next one that is a comedy.
    """
    return any(
        says([rule], bare_label(loss.expected)) and says([rule], bare_label(loss.simulated))
        for loss in losses
        if loss.metric == "label" and loss.loss
    )


def _refusal_by_guard(operation: Operation, critique_input: CritiqueInput) -> str | None:
    """Show the guard the cited episodes, and all other texts that the editor has seen."""
    cited = [e for e in critique_input.batch if e.id in operation.evidence]
    others = [e.ground_truth or "" for e in critique_input.batch if e.id not in operation.evidence]
    simulated = [loss.simulated for loss in critique_input.losses.values()]
    return refusal(
        operation.text,
        cited,
        simulated + others,
        critique_input.deps.settings,
        critique_input.instructions.differing,
    )


def _replaced(rule: Rule, operation: Operation) -> Rule:
    evidence = list(dict.fromkeys(rule.evidence + operation.evidence))
    return rule.model_copy(update={"text": operation.text, "evidence": evidence})
