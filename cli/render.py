"""How records look on the terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.output import printable
from personaagent.core.records import Episode, Persona, Profile, Rule
from personaagent.core.text import shorten
from personaagent.memory.facts import describe_facts
from personaagent.memory.rules import Difference

LINE_CHARS = 160


def persona_view(persona: Persona) -> RenderableType:
    """A version: where it came from, and its rules with their evidence."""
    return Group(Text(describe_version(persona), "bold"), rules_view(persona.rules))


def rules_view(rules: Sequence[Rule]) -> RenderableType:
    """A line a rule: id, text, whether it is locked, and the episodes that it rests on."""
    table = Table.grid(padding=(0, 2))
    for rule in rules:
        table.add_row(Text(rule.id, "cyan"), Text(printable(rule.text)), rule_notes(rule))
    return table if rules else Text("(no rules)", "dim")


def rule_notes(rule: Rule) -> Text:
    """What is to be known of a rule beside its text."""
    locked = ["locked"] if rule.locked else []
    evidence = [f"from {', '.join(rule.evidence)}"] if rule.evidence else []
    return Text(printable("; ".join(locked + evidence)), "dim")


def describe_version(persona: Persona) -> str:
    """A version of a persona in one line."""
    made = f"version {persona.version}, by {persona.author}, {persona.created_at:%Y-%m-%d %H:%M}"
    return printable(f"{made}: {persona.note}" if persona.note else made)


def history_view(versions: Sequence[Persona]) -> RenderableType:
    """A line a version, oldest first."""
    return Text("\n".join(map(describe_version, versions)))


def difference_view(difference: Difference) -> RenderableType:
    """A line a rule: what is gone in red with -, what is new in green with +."""
    lines = Text()
    for rule in difference.removed:
        lines.append(_signed("-", rule), "red")
    for changed in difference.changed:
        lines.append(_signed("-", changed.before), "red")
        lines.append(_signed("+", changed.after), "green")
    for rule in difference.added:
        lines.append(_signed("+", rule), "green")
    lines.rstrip()
    return lines if lines else Text("(the rules are the same)", "dim")


def episodes_view(episodes: Sequence[Episode]) -> RenderableType:
    """Two lines an episode: what was asked, and what was wanted or else answered."""
    table = Table.grid(padding=(0, 2))
    for episode in episodes:
        about = f"\n{episode.created_at:%Y-%m-%d}" + (f" {episode.task}" if episode.task else "")
        table.add_row(
            Text.assemble((episode.id, "cyan"), (printable(about), "dim")),
            Text.assemble((one_line(episode.query), "bold"), f"\n{_outcome(episode)}"),
        )
    return table if episodes else Text("(no episodes)", "dim")


def profile_view(profile: Profile) -> RenderableType:
    """The facts in words, then each statement of the summary with its evidence."""
    facts = printable(describe_facts(profile.facts)) or (
        "(none yet: they are computed from your feedback and imported labels)"
    )
    summary = Table.grid(padding=(0, 2))
    for statement in profile.summary:
        evidence = f"from {', '.join(statement.evidence)}"
        summary.add_row("-", Text(printable(statement.text)), Text(printable(evidence), "dim"))
    written = f", {profile.summarised_at:%Y-%m-%d %H:%M}" if profile.summarised_at else ""
    none = Text("(none yet: `personaagent profile refresh` writes it)", "dim")
    return Group(
        Text("Facts", "bold"),
        facts,
        Text(f"Summary{written}", "bold"),
        summary if profile.summary else none,
    )


def _signed(sign: str, rule: Rule) -> str:
    notes = rule_notes(rule).plain
    return printable(f"{sign} {rule.id}  {rule.text}" + (f"  ({notes})" if notes else "")) + "\n"


def _outcome(episode: Episode) -> str:
    if episode.ground_truth is not None:
        return f"wanted: {one_line(episode.ground_truth)}"
    judged = "rejected: " if episode.signal == "reject" else ""
    return f"{judged}{one_line(episode.response)}"


def one_line(text: str) -> str:
    """``text`` in one line of at most 160 characters."""
    return shorten(" ".join(printable(text).split()), LINE_CHARS)
