"""How a persona, its versions and their differences look on the terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.dates import shown_minute
from personaagent.cli.output import printable
from personaagent.cli.tables import listing
from personaagent.core.ids import short_id
from personaagent.core.records import Persona, Rule
from personaagent.core.weights import Weights, describe_weights
from personaagent.memory.persona_edits import Difference


def persona_view(persona: Persona) -> RenderableType:
    """A version: where it came from, its rules with their evidence, and its weights."""
    parts: list[RenderableType] = [Text(describe_version(persona), "bold")]
    parts.append(rules_view(persona.rules))
    if persona.weights:
        parts.append(weights_view(persona.weights))
    return Group(*parts)


def weights_view(weights: Sequence[Weights]) -> RenderableType:
    """One line for each task: how its closed questions are decided."""
    return listing(
        [
            (
                Text(printable(each.id), "cyan"),
                Text.assemble(describe_weights(each), (f"  ({_weights_notes(each)})", "dim")),
            )
            for each in weights
        ]
    )


def _weights_notes(weights: Weights) -> str:
    """Whether they are locked, and how many labels they come from."""
    locked = ["locked"] if weights.locked else []
    return "; ".join([*locked, f"from {weights.labels} of your labels"])


def rules_view(rules: Sequence[Rule]) -> RenderableType:
    """One line for each rule: its id, text, lock and evidence."""
    items = [
        (Text(rule.id, "cyan"), Text.assemble(printable(rule.text), (_in_brackets(rule), "dim")))
        for rule in rules
    ]
    return listing(items) if items else Text("(no rules)", "dim")


def _in_brackets(rule: Rule) -> str:
    """Whether the rule is locked, and the ids of the episodes that are its evidence."""
    locked = ["locked"] if rule.locked else []
    ids = ", ".join(map(short_id, rule.evidence))
    evidence = [f"from {ids}"] if ids else []
    notes = printable("; ".join(locked + evidence))
    return f"  ({notes})" if notes else ""


def describe_version(persona: Persona) -> str:
    """A version of a persona in one line."""
    origin = f"version {persona.version}, by {persona.author}, {shown_minute(persona.created_at)}"
    return printable(f"{origin}: {persona.note}" if persona.note else origin)


def history_view(versions: Sequence[Persona]) -> RenderableType:
    """One line for each version, oldest first."""
    return Text("\n".join(map(describe_version, versions)))


def difference_view(difference: Difference) -> RenderableType:
    """One line for each rule or weights: the old in red with -, the new in green with +."""
    lines = Text()
    for rule in difference.removed:
        lines.append(_signed("-", rule), "red")
    for changed in difference.changed:
        lines.append(_signed("-", changed.before), "red")
        lines.append(_signed("+", changed.after), "green")
    for rule in difference.added:
        lines.append(_signed("+", rule), "green")
    for pair in difference.weights:
        for sign, weights, style in (("-", pair.before, "red"), ("+", pair.after, "green")):
            if weights:
                lines.append(_signed_weights(sign, weights), style)
    lines.rstrip()
    return lines if lines else Text("(the rules are the same)", "dim")


def _signed_weights(sign: str, weights: Weights) -> str:
    described = f"{describe_weights(weights)}  ({_weights_notes(weights)})"
    return printable(f"{sign} {weights.id}  {described}") + "\n"


def _signed(sign: str, rule: Rule) -> str:
    return printable(f"{sign} {rule.id}  {rule.text}{_in_brackets(rule)}") + "\n"
