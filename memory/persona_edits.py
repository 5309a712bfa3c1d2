"""Edits of a persona by its user: rules added, replaced and removed; and how versions differ."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from pydantic import Field

from personaagent.core.errors import Unknown, UsageError
from personaagent.core.records import Persona, Record, Rule
from personaagent.core.text import check_text
from personaagent.core.weights import Weights, weights_of

if TYPE_CHECKING:
    from personaagent.memory.personas import Personas

RULE_CHARS = 1000
PERSONA_CHARS = 5000
"""Longest persona that its user may make, all rules together: every prompt holds all of it."""


class ChangedRule(Record):
    """A rule that two versions have, but not with the same content."""

    before: Rule
    after: Rule


class ChangedWeights(Record):
    """Weights that two versions do not share; None where a version leaves the defaults."""

    before: Weights | None
    after: Weights | None


class Difference(Record):
    """How version ``after`` differs from version ``before``: rule by rule, and task by task."""

    before: int
    after: int
    added: list[Rule]
    removed: list[Rule]
    changed: list[ChangedRule]
    weights: list[ChangedWeights] = Field(default_factory=list)


def difference(before: Persona, after: Persona) -> Difference:
    """The rules that were added, removed and changed between two versions, and the weights."""
    pairs = [(before.rule(rule.id), rule) for rule in after.rules]
    return Difference(
        before=before.version,
        after=after.version,
        added=[new for old, new in pairs if old is None],
        removed=[rule for rule in before.rules if after.rule(rule.id) is None],
        changed=[ChangedRule(before=old, after=new) for old, new in pairs if old and old != new],
        weights=_changed_weights(before.weights, after.weights),
    )


def _changed_weights(before: Sequence[Weights], after: Sequence[Weights]) -> list[ChangedWeights]:
    tasks = dict.fromkeys(each.task for each in [*before, *after])
    pairs = [(weights_of(task, before), weights_of(task, after)) for task in tasks]
    return [ChangedWeights(before=old, after=new) for old, new in pairs if old != new]


def with_changes(
    persona: Persona,
    next_id: str,
    *,
    added: Sequence[str],
    replaced: Sequence[tuple[str, str]],
    removed: Sequence[str],
) -> list[Rule]:
    """The rules of ``persona`` with some added, some texts replaced (by rule id), and some removed.

    Raises:
        Unknown: there is no such rule.
        UsageError: a text is empty, or too long.
    """
    for rule_id in [*(rule_id for rule_id, _ in replaced), *removed]:
        if persona.rule(rule_id) is None:
            raise Unknown(f"The persona has no rule '{rule_id}': see `personaagent persona show`.")
    texts = dict(replaced)
    remaining = [
        rewritten(rule, texts.get(rule.id, rule.text))
        for rule in persona.rules
        if rule.id not in removed
    ]
    return [*remaining, *map(new_rule, ids_from(next_id), added)]


async def edit_persona(
    personas: "Personas",
    *,
    added: Sequence[str],
    replaced: Sequence[tuple[str, str]],
    removed: Sequence[str],
) -> Persona:
    """Change rules of the latest persona; return the new version, or the latest if nothing changed.

    Raises:
        Unknown: there is no such rule.
        UsageError: a text is empty, or too long.
    """
    persona, next_id = await personas.current(), await personas.next_rule_id()
    rules = with_changes(persona, next_id, added=added, replaced=replaced, removed=removed)
    return await publish_edited(personas, persona, rules)


async def publish_edited(personas: "Personas", persona: Persona, rules: list[Rule]) -> Persona:
    """Publish these rules of the user's as a new version; ``persona`` itself if nothing changed.

    Raises:
        Conflict: the persona has moved on since ``persona``.
        UsageError: the rules are longer than ``PERSONA_CHARS``, and longer than before.
    """
    if rules == persona.rules:
        return persona
    if length(rules) > max(PERSONA_CHARS, length(persona.rules)):
        raise UsageError(
            f"The rules would have {length(rules):,} characters, and every prompt holds them all; at "
            f"most {PERSONA_CHARS:,} are allowed: shorten or remove some."
        )
    new = Persona(version=persona.version + 1, rules=rules, author="user")
    note = note_of(difference(persona, new)) or "reorder"
    return await personas.publish(rules, author="user", note=note, parent=persona.version)


def length(rules: Sequence[Rule]) -> int:
    """The characters of all rules together."""
    return sum(len(rule.text) for rule in rules)


def new_rule(rule_id: str, text: str) -> Rule:
    """A rule that the user wrote: it has no evidence in episodes."""
    return Rule(id=rule_id, text=check_text(text, "text of a rule", RULE_CHARS).strip())


def rewritten(rule: Rule, text: str) -> Rule:
    """The same rule if its text has not changed; otherwise with the user's text and no evidence."""
    if text.split() == rule.text.split():
        return rule
    return new_rule(rule.id, text).model_copy(update={"locked": rule.locked})


def note_of(change: Difference) -> str:
    """The differences in a few words, for the history."""
    changed = [rule.after for rule in change.changed]
    edits = (("add", change.added), ("change", changed), ("remove", change.removed))
    return "; ".join(f"{verb} {', '.join(r.id for r in rules)}" for verb, rules in edits if rules)


def ids_from(next_id: str) -> Iterator[str]:
    """``next_id`` and the ids after it: r7, r8, r9 ..."""
    return (f"r{number}" for number in count(int(next_id[1:])))
