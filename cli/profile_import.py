"""``personaagent profile import``: what a user told another assistant about themselves."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import confirm, one_line, print_notice, print_result, print_view
from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.core.text import check_text
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.core.records import Statement
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.exchange.notes import Notes
    from personaagent.memory.statements import Statements

SOURCE_CHARS = 40
RESERVED = ("user", "summary")


def import_statements(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.", readable=False)],
    user: User,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Where it is from. Default: chatgpt or claude for an export, else notes.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is new.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import statements: a list in text or Markdown, or what an export of ChatGPT or Claude holds.

    Each line becomes a statement; headings are left out. Paste what ChatGPT or Claude remembers of
    you into a file, or give an export as it was downloaded: its custom instructions, memory and
    instructions of projects are read. Importing again adds nothing.
    """
    check_user_id(user)
    if source is not None:
        check_text(source, "name of the source", SOURCE_CHARS)
        if source in RESERVED:
            raise UsageError(f"'{source}' cannot be the name of a source: it means something else.")

    async def import_file(agent: "LocalAgent") -> "list[Statement] | list[str]":
        from personaagent.memory.exchange.notes import read_notes

        notes = read_notes(file, source)
        memory = agent.memory(user)
        statements = memory.profile.statements
        new = await _preview(statements, notes)
        if dry_run:
            return new
        if new and sys.stdin.isatty() and not yes and not confirm("Add these?"):
            raise UsageError("Nothing was imported.")
        added = await statements.add(notes.texts, source=notes.source, written=notes.written)
        await memory.personas.begin()
        return added

    added = run_with_agent(import_file)
    done = "would be added" if dry_run else "added"
    print_result(added, as_json, lambda added: f"{counted(len(added), 'statement')} {done}.")


async def _preview(statements: "Statements", notes: "Notes") -> list[str]:
    """Show the texts that are new, and say how many are not."""
    new = await statements.new_texts(notes.texts, notes.source)
    for text in new:
        print_view(Text(f"+ {one_line(text)}"), stderr=True)
    known = len(notes.texts) - len(new)
    print_notice(f"{len(new):,} new from {notes.source}; {known:,} known already, or forgotten.")
    return new
