"""How what is known about a user, and its history, look on the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.dates import shown_day, shown_minute
from personaagent.cli.output import printable
from personaagent.cli.tables import listing
from personaagent.core.ids import short_id
from personaagent.core.records import Rule, Statement

if TYPE_CHECKING:
    from personaagent.memory.profile_history import ProfileChange
    from personaagent.memory.profile_page import Evidence, ProfilePage

SHOWN_EVIDENCE = 3


def page_view(page: "ProfilePage") -> RenderableType:
    """Facts, statements and rules, each with the episodes that it rests on."""
    from personaagent.memory.facts import describe_facts

    facts = printable(describe_facts(page.facts)) or (
        "(none yet: they are computed from your feedback and imported labels)"
    )
    date = f", {shown_minute(page.summarised_at)}" if page.summarised_at else ""
    evidence = {each.id: each for each in page.evidence}
    return Group(
        Text("Facts", "bold"),
        facts,
        Text(f"Statements{date}", "bold"),
        statements_view(page.summary, evidence, refreshed=page.summarised_at is not None),
        Text(f"Rules, version {page.version}", "bold"),
        _items_view([(rule, "locked" if rule.locked else "") for rule in page.rules], evidence)
        if page.rules
        else Text("(no rules)", "dim"),
    )


def statements_view(
    statements: Sequence[Statement], evidence: "Mapping[str, Evidence]", *, refreshed: bool = False
) -> RenderableType:
    """Each statement: its id, text, source and lock, and the episodes that it rests on.

    ``refreshed``: whether a summary was made of the episodes, so that none is left to be read.
    """
    if not statements and refreshed:
        return Text("(none: nothing that the summary has read supports one now)", "dim")
    if not statements:
        return Text(
            "(none yet: `personaagent profile refresh` reads your episodes for them, and "
            "`personaagent profile add` takes yours)",
            "dim",
        )
    return _items_view([(each, _notes(each)) for each in statements], evidence)


def statement_view(statement: Statement) -> RenderableType:
    """One statement in one line."""
    return _items_view([(statement, _notes(statement))], {})


def changes_view(changes: "Sequence[ProfileChange]") -> RenderableType:
    """Each change: its number, time and author, and what was taken away (-) and put there (+)."""
    lines = Text()
    for change in changes:
        title = f"{change.number}  {shown_minute(change.at)}  by {change.author}: {change.note}\n"
        lines.append(title, "bold")
        for statement in change.before:
            lines.append(_signed("-", statement), "red")
        for statement in change.after:
            lines.append(_signed("+", statement), "green")
    lines.rstrip()
    return lines if lines else Text("(no changes yet)", "dim")


def _items_view(
    items: Sequence[tuple[Statement | Rule, str]], evidence: "Mapping[str, Evidence]"
) -> RenderableType:
    shown: list[tuple[Text, Text]] = []
    for item, notes in items:
        text = Text(printable(item.text))
        if notes:
            text.append(f"  ({printable(notes)})", "dim")
        for line in _evidence_lines(item.evidence, evidence):
            text.append(f"\n{line}", "dim")
        shown.append((Text(item.id, "cyan"), text))
    return listing(shown)


def _evidence_lines(ids: Sequence[str], evidence: "Mapping[str, Evidence]") -> list[str]:
    cited = [evidence[id] for id in ids if id in evidence]
    lines = [
        printable(f"from {short_id(each.id)}  {shown_day(each.at)}  {each.query}")
        for each in cited[-SHOWN_EVIDENCE:]
    ]
    more = len(cited) - SHOWN_EVIDENCE
    return [*lines, f"and {more} more"] if more > 0 else lines


def _notes(statement: Statement) -> str:
    source = {"summary": [], "user": ["yours"]}.get(
        statement.source, [f"imported from {statement.source}"]
    )
    return ", ".join([*source, *(["locked"] if statement.locked else [])])


def _signed(sign: str, statement: Statement) -> str:
    notes = f"  ({_notes(statement)})" if _notes(statement) else ""
    return printable(f"  {sign} {statement.id}  {statement.text}{notes}") + "\n"
