"""How an episode, and a receipt of what was forgotten, look on the terminal."""

import json
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.output import printable
from personaagent.core.records import Episode

if TYPE_CHECKING:
    from personaagent.memory.forget import Receipt


def episode_view(episode: Episode) -> RenderableType:
    """A line a field, those that are empty left out."""
    table = Table.grid(padding=(0, 2))
    for name, value in episode:
        if value is None or value == {}:
            continue
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
        table.add_row(Text(name.replace("_", " "), "dim"), Text(printable(text)))
    return table


def receipt_view(receipt: "Receipt") -> RenderableType:
    """How many of each went, then the text of each statement and rule."""
    counts = {
        "episode": len(receipt.episodes),
        "embedding": receipt.embeddings,
        "statement of the profile": len(receipt.statements),
        "rule of the persona": len(receipt.rules),
        "conversation": len(receipt.threads),
        "simulation": receipt.simulations,
    }
    went = ", ".join(f"{count:,} x {name}" for name, count in counts.items() if count)
    return Group(
        Text(f"Forgotten: {went or 'nothing'}.", "bold"),
        *(Text(f"- statement: {printable(each.text)}") for each in receipt.statements),
        *(Text(f"- rule {each.id}: {printable(each.text)}") for each in receipt.rules),
    )
