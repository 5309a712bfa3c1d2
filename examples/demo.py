"""The main job, end to end: memory, then alignment, each with an invented user.

Run by ``make demo``. Each question about Mira's history is asked twice, of the agent that has her
memory and of the same model without any; then ``demo_alignment`` lets Jonas correct answers.
Exits with 1 if an answer misses what was remembered or learned.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import demo_alignment
from rich.console import Console
from rich.table import Table

from personaagent.cli.main import guarded
from personaagent.cli.output import waiting
from personaagent.cli.run import run
from personaagent.core.answer import Answer
from personaagent.core.text import shorten

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.user import UserMemory

HISTORY = Path(__file__).with_name("mira.jsonl")
USER = "demo-mira"
NOBODY = "demo-nobody"


@dataclass(frozen=True)
class Question:
    """What is asked, what must stand in the answer, and whether only memory knows it."""

    text: str
    expected: str
    only_memory: bool = True


QUESTIONS = [
    Question("What is Ida allergic to?", "hazelnut"),
    Question("On which day and at what time is my cello lesson?", "18:30"),
    Question("Where did we hide the spare key of the boat?", "teapot"),
    Question("What is the capital of Portugal?", "Lisbon", only_memory=False),
]


async def demo(agent: "LocalAgent") -> bool:
    """Import the history and ask every question; returns whether all answers were right."""
    from personaagent.memory.exchange.importer import import_episodes

    console = Console(highlight=False)
    memory = agent.memory(USER)
    imported = await import_episodes(memory, HISTORY)
    console.print(
        f"Imported {imported.added} episodes of Mira, an invented user "
        f"({imported.skipped} were there already). Now asking four questions, with and without her "
        "memory: on two cores each takes the embedded model about a minute.\n"
    )
    right = True
    for question in QUESTIONS:
        with waiting(f"Asking: {question.text}"):
            known = await agent.ask(question.text, USER, incognito=True)
            blank = await agent.ask(question.text, NOBODY, incognito=True)
        right &= _holds(question, known)
        console.print(await _shown(question, known, blank, memory))
    right &= await demo_alignment.demo(agent)
    command = f"{Path(sys.executable).parent}/personaagent chat --user {USER}"
    console.print(f"\nGo on as Mira: [bold]{command}[/bold]", soft_wrap=True)
    return right


async def _shown(question: Question, known: Answer, blank: Answer, memory: "UserMemory") -> Table:
    table = Table(title=f"\n{question.text}", title_justify="left", show_header=False, expand=True)
    table.add_column(width=16, style="bold")
    table.add_column()
    verdict = "as remembered" if question.only_memory else "no memory needed"
    mark = f"[green]✓ {verdict}[/green]" if _holds(question, known) else "[red]✗ missed[/red]"
    table.add_row("with memory", f"{known.reply}\n{mark} ({known.seconds:.0f} s)")
    table.add_row("without", f"{blank.reply}\n({blank.seconds:.0f} s)")
    for episode in await memory.episodes.find(known.recalled[:3]):
        table.add_row(
            "recalled", f"[dim]{episode.created_at:%Y-%m-%d}[/dim] {shorten(episode.query, 120)}"
        )
    tools = ", ".join(use.name for use in known.tool_calls) or "none"
    usage = known.usage
    table.add_row(
        "cost",
        f"tools: {tools}; {usage['llm_calls']} model calls, {usage['input_tokens']} tokens read, "
        f"{usage['output_tokens']} written",
    )
    return table


def _holds(question: Question, answer: Answer) -> bool:
    return question.expected.lower() in answer.reply.lower()


if __name__ == "__main__":
    sys.exit(guarded(lambda: 0 if run(demo, role="all", embeddings=True) else 1))
