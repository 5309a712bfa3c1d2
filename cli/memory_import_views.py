"""How an import, and the preview of one, look on the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.dates import shown_day
from personaagent.cli.output import printable
from personaagent.core.counting import counted

if TYPE_CHECKING:
    from personaagent.memory.exchange.importer import Imported
    from personaagent.memory.exchange.preview import ImportPreview


def import_view(imported: "Imported") -> RenderableType:
    """How many episodes were added, and why the others were not."""
    added, skipped = counted(imported.added, "episode"), counted(imported.skipped, "was", "were")
    lines = [f"{added} added, {skipped} there already."]
    if imported.forgotten:
        lines.append(
            f"{imported.forgotten:,} of them you have forgotten: left out; --include-forgotten "
            "brings them back."
        )
    lines += _left_out(imported.left_out, imported.problems, imported.messages_left_out)
    return _group(lines)


def preview_view(preview: "ImportPreview") -> RenderableType:
    """How many episodes an import would add, from when, and what it would leave out."""
    counts = [
        f"{counted(preview.known, 'is', 'are')} there already" if preview.known else "",
        f"{preview.forgotten:,} you have forgotten" if preview.forgotten else "",
    ]
    others = "".join(f", {each}" for each in counts if each)
    sources = ", ".join(f"{count:,} from {name}" for name, count in preview.sources.items())
    lines = [
        f"{counted(preview.episodes, 'episode')} in the file ({sources}){_period(preview)}.",
        f"{counted(preview.new, 'episode')} would be added{others}.",
        *_left_out(preview.left_out, preview.problems, preview.messages_left_out),
        "Nothing was written.",
    ]
    return _group(lines)


def to_summarise_view(imported: "Imported") -> str | None:
    """What the profile has yet to read of an import; None if it added nothing."""
    if not imported.added:
        return None
    unread = counted(imported.to_summarise, "episode")
    return (
        f"The profile has not read {unread} yet: `personaagent profile refresh` reads them now, else "
        "the next turns do, in the background."
    )


def _period(preview: "ImportPreview") -> str:
    if preview.oldest is None or preview.newest is None:
        return ", without dates"
    first, last = shown_day(preview.oldest), shown_day(preview.newest)
    period = f", from {first} to {last}" if first != last else f", of {first}"
    return period + (f", {preview.undated:,} without a date" if preview.undated else "")


def _left_out(count: int, problems: Sequence[str], messages: Mapping[str, int]) -> Iterator[str]:
    """The conversations that were left out with the reason of each, and the messages by reason."""
    if count:
        shown = f", of which {len(problems)} are shown" if count > len(problems) else ""
        yield f"Left out: {counted(count, 'conversation')}{shown}."
    yield from (f"- {each}" for each in problems)
    if messages:
        yield "Left out of the others:" if count else "Left out:"
    yield from (f"- {why}: {count:,}" for why, count in messages.items())


def _group(lines: Sequence[str]) -> RenderableType:
    return Group(*(Text(printable(line)) for line in lines))
