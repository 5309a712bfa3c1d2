"""How episodes and a receipt of forgetting look on the terminal."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.dates import shown_day, shown_minute
from personaagent.cli.output import one_line, printable
from personaagent.cli.tables import listing
from personaagent.core.counting import counted
from personaagent.core.ids import short_id, shorten_ids
from personaagent.core.records import Episode

if TYPE_CHECKING:
    from personaagent.memory.forget import Receipt


def episodes_view(episodes: Sequence[Episode]) -> RenderableType:
    """Two lines for each episode: the query, and what the user wanted or else the answer."""
    items: list[tuple[Text, Text]] = []
    for episode in episodes:
        origin = f"\n{shown_day(episode.created_at)}" + (f" {episode.task}" if episode.task else "")
        origin += (
            f" superseded by {short_id(episode.superseded_by)}" if episode.superseded_by else ""
        )
        origin += " discarded" if episode.discarded else ""
        items.append(
            (
                Text.assemble((short_id(episode.id), "cyan"), (printable(origin), "dim")),
                Text.assemble(
                    (one_line(episode.query), "bold"), f"\n{_wanted_or_answered(episode)}"
                ),
            )
        )
    return listing(items) if items else Text("(no episodes)", "dim")


def episode_view(episode: Episode) -> RenderableType:
    """One line for each field that is not empty."""
    fields = {name.replace("_", " "): _field(name, value) for name, value in episode}
    return listing([(Text(name, "dim"), Text(text)) for name, text in fields.items() if text])


def _field(name: str, value: Any) -> str:
    """The value in words; the ids of other episodes, and its own, are short."""
    if value in (None, {}, [], "", False):
        return ""
    match value:
        case datetime():
            return shown_minute(value)
        case list():
            return "; ".join(map(one_line, value))
        case dict():
            return shorten_ids(printable(json.dumps(value, ensure_ascii=False)))
        case str() if name in ("id", "superseded_by"):
            return short_id(value)
    return printable(str(value))


def receipt_view(receipt: "Receipt") -> RenderableType:
    """How much of each kind was forgotten, then the text of each statement and rule."""
    counts = {
        ("episode", "episodes"): len(receipt.episodes),
        ("embedding", "embeddings"): receipt.embeddings,
        ("statement of the profile", "statements of the profile"): len(receipt.statements),
        ("rule of the persona", "rules of the persona"): len(receipt.rules),
        ("conversation", "conversations"): len(receipt.threads),
        ("simulation", "simulations"): receipt.simulations,
    }
    forgotten = ", ".join(counted(count, *names) for names, count in counts.items() if count)
    return Group(
        Text(f"Forgotten: {forgotten or 'nothing'}.", "bold"),
        *_derived_lines(receipt),
        *(Text(f"- statement: {printable(each.text)}") for each in receipt.statements),
        *(Text(f"- rule {rule.id}: {printable(rule.text)}") for rule in receipt.rules),
    )


def _derived_lines(receipt: "Receipt") -> list[Text]:
    """What became of the answers that were drawn from what was forgotten."""
    fates = {
        "lost their text": receipt.blanked,
        "remain, for you accepted or kept them": receipt.remaining,
    }
    return [
        Text(f"Answers drawn from it that {fate}: {', '.join(map(short_id, ids))}.")
        for fate, ids in fates.items()
        if ids
    ]


def _wanted_or_answered(episode: Episode) -> str:
    if episode.ground_truth is not None:
        return f"wanted: {one_line(episode.ground_truth)}"
    rejected = "rejected: " if episode.signal == "reject" else ""
    return f"{rejected}{one_line(episode.response) or '(the answer was forgotten)'}"
