"""Alignment from end to end: an invented user corrected four answers, then gets those he wants.

``make demo`` runs it. Jonas learns German and wants every answer in German, whatever the language
of the question. He never says so: he only corrected what the embedded model answered (in
``jonas.jsonl``). A fifth question, which he has not asked before, is answered before and after
alignment.
"""

import re
from pathlib import Path

from demo_cost import cost_of
from rich.console import Console
from rich.table import Table

from personaagent import Answer, PersonaAgent
from personaagent.cli.alignment_progress import AlignmentProgress
from personaagent.cli.alignment_views import alignment_view
from personaagent.cli.output import spinner

HISTORY = Path(__file__).with_name("jonas.jsonl")
USER = "demo-jonas"
NEW_QUESTION = "What is the capital of Austria?"
IN_GERMAN = "wien"
"""The answer in German; in English it is Vienna."""


async def demo(agent: PersonaAgent) -> bool:
    """Import four corrections, align, ask a new question; returns whether its answer is as wanted.

    Jonas is forgotten first, so that the demo can be run again.
    """
    console = Console(highlight=False)
    memory = agent.memory(USER)
    await memory.forget_all()
    await memory.import_file(HISTORY, include_forgotten=True)
    console.print("\nNow Jonas, who wants answers in German. Four he has corrected:\n")
    for episode in await memory.list():
        console.print(f"{episode.query}\n  {episode.response}\n  corrected: {episode.ground_truth}")
    before = await _ask_new_question(agent)
    console.print("\nAligning: replay his questions, propose rules, prove them ...")
    with AlignmentProgress() as progress:
        result = await agent.align(user=USER, on_step=progress, rounds=1)
    proved_on = [await memory.get(pair.episode) for pair in result.pairs]
    console.print(alignment_view(result, proved_on, dry_run=False))
    after = await _ask_new_question(agent)
    console.print(_comparison(before, after))
    return _is_right(after)


async def _ask_new_question(agent: PersonaAgent) -> Answer:
    with spinner(f"Asking: {NEW_QUESTION}"):
        return await agent.ask(NEW_QUESTION, user=USER, incognito=True)


def _comparison(before: Answer, after: Answer) -> Table:
    answers = {"before": before, "after": after}
    table = Table(title=f"\n{NEW_QUESTION}", title_justify="left", expand=True)
    for name, answer in answers.items():
        table.add_column(f"{name} (persona version {answer.persona_version})", ratio=1)
    table.add_row(before.reply, after.reply)
    table.add_row(*map(_mark, answers.values()))
    table.add_row(*(f"[dim]{cost_of(answer)}[/dim]" for answer in answers.values()))
    return table


def _mark(answer: Answer) -> str:
    right = _is_right(answer)
    return "[green]✓ as Jonas wants it[/green]" if right else "[red]✗ not in German[/red]"


def _is_right(answer: Answer) -> bool:
    """Whether the answer is right, and in German."""
    words = set(re.findall(r"\w+", answer.reply.casefold()))
    return IN_GERMAN in words
