"""The Markdown in an archive, for a person to read."""

from collections.abc import Iterable, Sequence

from personaagent.core.records import Persona, Profile, Statement
from personaagent.core.weights import describe_weights
from personaagent.memory.facts import describe_facts

ABOUT = """\
# What an agent has learned about {user}

Written by PersonaAgent {version}. `personaagent restore FILE` brings all of it back.

- `episodes.jsonl`: every interaction; `personaagent memory import` reads it too
- `persona.md`: the rules that the agent follows, version by version
- `profile.md`: what it knows, as facts and statements
- the other files: the same and more, as the program stores it
"""


def about(user: str, version: str) -> str:
    """The README of the archive."""
    return ABOUT.format(user=user, version=version)


def persona_page(history: Sequence[Persona]) -> str:
    """All versions of the persona, newest first."""
    return "\n".join(
        ["# Persona", *(line for each in reversed(history) for line in _version(each))]
    )


def profile_page(profile: Profile) -> str:
    """Facts and statements."""
    facts = describe_facts(profile.facts) or "(none)"
    statements = "\n".join(map(_statement, profile.summary)) or "(none)"
    return f"# Profile\n\n## Facts\n\n{facts}\n\n## Statements\n\n{statements}\n"


def _version(persona: Persona) -> Iterable[str]:
    yield f"\n## Version {persona.version}, {persona.created_at:%Y-%m-%d}, by {persona.author}\n"
    if persona.note:
        yield f"{persona.note}\n"
    for rule in persona.rules:
        locked = " (locked)" if rule.locked else ""
        evidence = f" [{', '.join(rule.evidence)}]" if rule.evidence else ""
        yield f"- {rule.text}{locked}{evidence}"
    for weights in persona.weights:
        locked = " (locked)" if weights.locked else ""
        yield f"- {weights.id}: {describe_weights(weights)}{locked}"


def _statement(statement: Statement) -> str:
    locked = " (locked)" if statement.locked else ""
    evidence = f" [{', '.join(statement.evidence)}]" if statement.evidence else ""
    return f"- {statement.text}{locked}{evidence}"
