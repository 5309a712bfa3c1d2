"""The main job from end to end: memory, then alignment, each with an invented user.

``make demo`` runs it. It asks each question about Mira's history twice: with her memory, and with
none. Then ``demo_alignment`` learns from Jonas's corrections. It exits with 1 if an answer misses what
the agent should have remembered or learned.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import demo_alignment
from demo_cost import cost_of
from rich.console import Console
from rich.table import Table

from personaagent import Answer, PersonaAgent
from personaagent.cli.main import guarded
from personaagent.cli.output import spinner
from personaagent.cli.pull_models import pull_needed
from personaagent.core.settings import load_settings
from personaagent.core.text import shorten

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


async def demo() -> bool:
    """Import the history and ask every question; returns whether all answers were right."""
    settings = load_settings()
    await pull_needed(settings, "all", embeddings=True)
    console = Console(highlight=False)
    async with PersonaAgent(settings) as agent:
        imported = await agent.memory(USER).import_file(HISTORY)
        console.print(
            f"Imported {imported.added} episodes of Mira, an invented user "
            f"({imported.skipped} were there already). Four questions follow, each asked with and "
            "without her memory: on two cores the embedded model takes 10 to 20 seconds for each.\n"
        )
        right = [await _ask_twice(agent, question, console) for question in QUESTIONS]
        right.append(await demo_alignment.demo(agent))
    command = f"{Path(sys.executable).parent}/personaagent chat --user {USER}"
    console.print(f"\nContinue as Mira: [bold]{command}[/bold]", soft_wrap=True)
    console.print(
        f"Or in the browser: [bold]personaagent serve[/bold] opens a page on the same memory, at "
        f"http://127.0.0.1:2024/?user={USER}",
        soft_wrap=True,
    )
    return all(right)


async def _ask_twice(agent: PersonaAgent, question: Question, console: Console) -> bool:
    with spinner(f"Asking: {question.text}"):
        with_memory = await agent.ask(question.text, user=USER, incognito=True)
        without = await agent.ask(question.text, user=NOBODY, incognito=True)
    console.print(await _comparison(agent, question, with_memory, without))
    return _is_right(question, with_memory)


async def _comparison(
    agent: PersonaAgent, question: Question, with_memory: Answer, without: Answer
) -> Table:
    table = Table(title=f"\n{question.text}", title_justify="left", show_header=False, expand=True)
    table.add_column(width=16, style="bold")
    table.add_column()
    verdict = "as remembered" if question.only_memory else "no memory needed"
    right = _is_right(question, with_memory)
    mark = f"[green]✓ {verdict}[/green]" if right else "[red]✗ missed[/red]"
    table.add_row("with memory", f"{with_memory.reply}\n{mark}\n[dim]{cost_of(with_memory)}[/dim]")
    table.add_row("without", f"{without.reply}\n[dim]{cost_of(without)}[/dim]")
    for episode_id in with_memory.recalled[:3]:
        episode = await agent.memory(USER).get(episode_id)
        table.add_row(
            "recalled", f"[dim]{episode.created_at:%Y-%m-%d}[/dim] {shorten(episode.query, 120)}"
        )
    return table


def _is_right(question: Question, answer: Answer) -> bool:
    return question.expected.lower() in answer.reply.lower()


if __name__ == "__main__":
    sys.exit(guarded(lambda: 0 if asyncio.run(demo()) else 1))
