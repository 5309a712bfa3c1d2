"""The rules of a persona as text to be edited in an editor."""

import re

from personaagent.core.errors import UsageError
from personaagent.core.records import Persona, Rule
from personaagent.memory.rules import ids_from, new_rule, rewritten

HEAD = """\
# The persona of {user}, version {version}: one rule a line. Save and close to make a new version.
# A line without [id] becomes a new rule; a rule whose line is gone is taken out.
# A rule marked [id, locked] is changed by nobody but you.
"""
LINE = re.compile(r"[-*]\s+(?:\[(?P<id>[^\],\s]+)(?P<locked>,\s*locked)?\]\s*)?(?P<text>.*)")


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
    ids = ids_from(next_id)
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
