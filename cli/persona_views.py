"""How a persona, its versions and their differences look on the terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.dates import shown_minute
from personaagent.cli.output import printable
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
    table = Table.grid(padding=(0, 2))
    for each in weights:
        table.add_row(
            Text(printable(each.id), "cyan"),
            describe_weights(each),
            Text(_weights_notes(each), "dim"),
        )
    return table


def _weights_notes(weights: Weights) -> str:
    """Whether they are locked, and how many labels they come from."""
    locked = ["locked"] if weights.locked else []
    return "; ".join([*locked, f"from {weights.labels} of your labels"])


def rules_view(rules: Sequence[Rule]) -> RenderableType:
    """One line for each rule: its id, text, lock and evidence."""
    table = Table.grid(padding=(0, 2))
    for rule in rules:
        table.add_row(Text(rule.id, "cyan"), Text(printable(rule.text)), rule_notes(rule))
    return table if rules else Text("(no rules)", "dim")


def rule_notes(rule: Rule) -> Text:
    """Whether the rule is locked, and the ids of the episodes that are its evidence."""
    locked = ["locked"] if rule.locked else []
    ids = ", ".join(map(short_id, rule.evidence))
    evidence = [f"from {ids}"] if ids else []
    return Text(printable("; ".join(locked + evidence)), "dim")


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
    notes = rule_notes(rule).plain
    return printable(f"{sign} {rule.id}  {rule.text}" + (f"  ({notes})" if notes else "")) + "\n"
