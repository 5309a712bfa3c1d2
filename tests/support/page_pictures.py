"""Pictures of the page, of invented people: ``python -m tests.support.page_pictures FOLDER``."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from tests.server.test_page import environment
from tests.support.endpoint import Reply
from tests.support.server import ROOT, answers_from_memory, running_server

HISTORY = ROOT / "examples" / "mira.jsonl"
SECONDS = 600
COLOURS = 64
MOST_BYTES = 60_000
"""Pictures are committed: large ones would make every clone slow."""


def answers(body: dict[str, Any]) -> Reply:
    """A model that finds Ida's allergy in its prompt, and otherwise knows what that of the tests does."""
    messages = body["messages"]
    if "Ida allergic" in str(messages[-1]["content"]):
        known = "hazelnut" in str(messages[0]["content"])
        return "Ida is allergic to **hazelnuts**." if known else "I do not know."
    return answers_from_memory(body)


def main(folder: Path) -> None:
    """Take a picture of each view, light, dark and narrow."""
    settings = {"PERSONAAGENT_ALIGN_AFTER": "0"}  # only the walker learns, when asked to
    with (
        TemporaryDirectory() as home,
        running_server(Path(home), answers, secret=None, **settings) as server,
    ):
        given = {"PAGE_PICTURES": str(folder.resolve()), "PAGE_HISTORY": str(HISTORY)}
        subprocess.run(
            ["node", "e2e/pictures.mjs"],
            cwd=ROOT / "web",
            env=environment(server, **given),
            timeout=SECONDS,
            check=True,
        )
    for picture in sorted(folder.glob("*.png")):
        make_small(picture)


def make_small(picture: Path) -> None:
    """Keep only as many colours as a page needs: a third of the bytes, and no difference to see."""
    with Image.open(picture) as taken:
        few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)
    size = picture.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(
            f"{picture} has {size:,} bytes, more than {MOST_BYTES:,}: show less in it."
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
