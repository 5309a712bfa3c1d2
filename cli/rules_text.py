"""The rules of a persona as text that the user changes in an editor."""

import re
from collections.abc import Iterator

from personaagent.core.errors import UsageError
from personaagent.core.records import Persona, Rule
from personaagent.memory.persona_edits import ids_from, new_rule, rewritten

HEADER = """\
# The persona of {user}, version {version}: one rule per line. Save and close to make a new version.
# A line without an [id] becomes a new rule. To remove a rule, delete its line.
# Only you can change a rule that is marked [id, locked].
"""
RULE_LINE = re.compile(r"[-*]\s+(?:\[(?P<id>[^\],\s]+)(?P<locked>,\s*locked)?\]\s*)?(?P<text>.*)")


def rules_to_text(persona: Persona, user_id: str) -> str:
    """The rules as Markdown for an editor, one on each line."""
    lines = [
        f"- [{rule.id}{', locked' if rule.locked else ''}] {' '.join(rule.text.split())}"
        for rule in persona.rules
    ]
    return "\n".join([HEADER.format(user=user_id, version=persona.version), *lines, ""])


def text_to_rules(text: str, persona: Persona, next_id: str) -> list[Rule]:
    """Read the rules from an edited text of ``persona``; number new ones from ``next_id``.

    Raises:
        UsageError: a line is not a rule; the sentence names it.
    """
    rules: list[Rule] = []
    new_ids = ids_from(next_id)
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line and not line.startswith("#"):
            rules.append(_rule(number, line, persona, rules, new_ids))
    return rules


def _rule(
    number: int, line: str, persona: Persona, earlier: list[Rule], new_ids: Iterator[str]
) -> Rule:
    match = RULE_LINE.fullmatch(line)
    if match is None:
        raise UsageError(
            f"Line {number} is not a rule: a rule begins with '- '. Nothing was changed."
        )
    if match["id"] is None:
        return new_rule(next(new_ids), match["text"])
    old = persona.rule(match["id"])
    if old is None:
        raise UsageError(
            f"Line {number}: there is no rule '{match['id']}'. Leave out the [id] of a new rule. "
            "Nothing was changed."
        )
    if any(rule.id == old.id for rule in earlier):
        raise UsageError(
            f"Line {number}: rule '{old.id}' is listed twice. Leave out the [id] of a new rule. "
            "Nothing was changed."
        )
    return rewritten(old, match["text"]).model_copy(update={"locked": bool(match["locked"])})
