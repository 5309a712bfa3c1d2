"""The rules of a persona as text to be edited, and the difference of two versions."""

import re
from collections.abc import Iterator, Sequence
from itertools import count

from personaagent.core.errors import UsageError
from personaagent.core.records import Persona, Record, Rule, check_text

RULE_CHARS = 1000
HEAD = """\
# The persona of {user}, version {version}: one rule a line. Save and close to make a new version.
# A line without [id] becomes a new rule; a rule whose line is gone is taken out.
# A rule marked [id, locked] is changed by nobody but you.
"""
LINE = re.compile(r"[-*]\s+(?:\[(?P<id>[^\],\s]+)(?P<locked>,\s*locked)?\]\s*)?(?P<text>.*)")


class Changed(Record):
    """A rule that stands in two versions, but not the same."""

    before: Rule
    after: Rule


class Difference(Record):
    """What version ``after`` has that ``before`` has not, rule by rule."""

    before: int
    after: int
    added: list[Rule]
    removed: list[Rule]
    changed: list[Changed]


def difference(before: Persona, after: Persona) -> Difference:
    """The rules that were added, removed and changed between two versions."""
    pairs = [(before.rule(rule.id), rule) for rule in after.rules]
    return Difference(
        before=before.version,
        after=after.version,
        added=[new for old, new in pairs if old is None],
        removed=[rule for rule in before.rules if after.rule(rule.id) is None],
        changed=[Changed(before=old, after=new) for old, new in pairs if old and old != new],
    )


def to_text(persona: Persona, user_id: str) -> str:
    """The rules as Markdown, one a line, for an editor."""
    lines = [
        f"- [{rule.id}{', locked' if rule.locked else ''}] {' '.join(rule.text.split())}"
        for rule in persona.rules
    ]
    return "\n".join([HEAD.format(user=user_id, version=persona.version), *lines, ""])


def from_text(text: str, persona: Persona, next_id: str) -> list[Rule]:
    """The rules that an edited text of ``persona`` says; new ones are numbered from ``next_id``.

    Raises:
        UsageError: naming the line that is no rule.
    """
    rules: list[Rule] = []
    ids = _ids_from(next_id)
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise UsageError(f"Line {number} is no rule: begin it with '- '. Nothing was changed.")
        if match["id"] is None:
            rules.append(new_rule(next(ids), match["text"]))
            continue
        old = persona.rule(match["id"])
        if old is None or any(rule.id == old.id for rule in rules):
            raise UsageError(
                f"Line {number}: there is no rule '{match['id']}', or it stands there twice; leave "
                "out the [id] of a new rule. Nothing was changed."
            )
        rules.append(
            rewritten(old, match["text"]).model_copy(update={"locked": bool(match["locked"])})
        )
    return rules


def with_changes(
    persona: Persona,
    next_id: str,
    *,
    added: Sequence[str],
    replaced: Sequence[tuple[str, str]],
    removed: Sequence[str],
) -> list[Rule]:
    """The rules of ``persona`` with these texts added and put in place of others, and some removed.

    Raises:
        UsageError: there is no such rule.
    """
    for rule_id in [*(rule_id for rule_id, _ in replaced), *removed]:
        if persona.rule(rule_id) is None:
            raise UsageError(
                f"The persona has no rule '{rule_id}': see `personaagent persona show`."
            )
    texts = dict(replaced)
    kept = [
        rewritten(rule, texts.get(rule.id, rule.text))
        for rule in persona.rules
        if rule.id not in removed
    ]
    return [*kept, *map(new_rule, _ids_from(next_id), added)]


def new_rule(rule_id: str, text: str) -> Rule:
    """A rule of the user's own: it rests on their word, not on episodes."""
    return Rule(id=rule_id, text=check_text(text, "text of a rule", RULE_CHARS).strip())


def rewritten(rule: Rule, text: str) -> Rule:
    """The rule itself if its text is the same; else the user's own text, without evidence."""
    if text.split() == rule.text.split():
        return rule
    return new_rule(rule.id, text).model_copy(update={"locked": rule.locked})


def note_of(change: Difference) -> str:
    """The change in a few words, for the history."""
    changed = [each.after for each in change.changed]
    kinds = (("add", change.added), ("change", changed), ("remove", change.removed))
    return "; ".join(f"{verb} {', '.join(r.id for r in rules)}" for verb, rules in kinds if rules)


def _ids_from(next_id: str) -> Iterator[str]:
    return (f"r{number}" for number in count(int(next_id[1:])))
