"""Alignment, end to end: an invented user corrects four answers, and is then answered as he wants.

Run by ``make demo``. Jonas learns German and wants every answer in German, whatever the language
of the question; nobody tells the agent but by correcting it. A fifth question, which he has never
asked, is answered before and after alignment.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from personaagent.cli.alignment_progress import AlignmentProgress
from personaagent.cli.alignment_views import alignment_view
from personaagent.cli.output import waiting
from personaagent.core.answer import Answer

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

USER = "demo-jonas"


@dataclass(frozen=True)
class Correction:
    """A question of Jonas's, and the answer that he puts in place of the agent's."""

    question: str
    wanted: str


CORRECTIONS = [
    Correction("What is the capital of Norway?", "Die Hauptstadt von Norwegen ist Oslo."),
    Correction("How many legs does a spider have?", "Eine Spinne hat acht Beine."),
    Correction("What colour is a ripe lemon?", "Eine reife Zitrone ist gelb."),
    Correction("Which animal gives us wool?", "Das Schaf gibt uns Wolle."),
]
NEW_QUESTION = "What is the capital of France?"
GERMAN = {"ist", "die", "der", "das", "von", "hauptstadt"}


async def demo(agent: "LocalAgent") -> bool:
    """Correct four answers, align, and ask a new question; returns whether it is answered as wanted.

    Jonas is forgotten first, so that the demo can be run again.
    """
    console = Console(highlight=False)
    await agent.forget_all(USER)
    console.print("\nNow Jonas, who wants to be answered in German and corrects four answers.\n")
    for correction in CORRECTIONS:
        with waiting(f"Asking: {correction.question}"):
            answer = await agent.ask(correction.question, USER)
        assert answer.episode_id is not None
        memory = agent.memory(USER)
        await memory.episodes.give_feedback(answer.episode_id, "edit", correction.wanted)
        console.print(f"{correction.question}\n  {answer.reply}\n  corrected: {correction.wanted}")
    with waiting(f"Asking: {NEW_QUESTION}"):
        before = await agent.ask(NEW_QUESTION, USER, incognito=True)
    console.print("\nAligning: replaying his questions, proposing rules, proving them ...")
    with AlignmentProgress() as progress:
        result = await agent.align(USER, trigger="demo", on_step=progress, rounds=1)
    pairs = [pair.episode for pair in result.pairs]
    console.print(alignment_view(result, await memory.episodes.find(pairs), dry_run=False))
    with waiting(f"Asking: {NEW_QUESTION}"):
        after = await agent.ask(NEW_QUESTION, USER, incognito=True)
    console.print(_shown(before, after))
    return _holds(after)


def _shown(before: Answer, after: Answer) -> Table:
    table = Table(title=f"\n{NEW_QUESTION}", title_justify="left", expand=True)
    for name, answer in (("before", before), ("after", after)):
        table.add_column(f"{name} (persona version {answer.persona_version})", ratio=1)
    table.add_row(before.reply, after.reply)
    mark = "[green]✓ as Jonas wants it[/green]"
    table.add_row(
        *(mark if _holds(each) else "[red]✗ not in German[/red]" for each in (before, after))
    )
    return table


def _holds(answer: Answer) -> bool:
    """Whether the answer is right, and in German."""
    words = set(re.findall(r"\w+", answer.reply.casefold()))
    return "paris" in words and len(words & GERMAN) > 1
