"""``personaagent memory import --dry-run``, and how problems of a file are named."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.memory_import_views import preview_view
from personaagent.cli.output import print_notice, print_result, progress_bar

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.exchange.preview import ImportPreview


def preview_file(file: Path, user: str, *, as_json: bool) -> None:
    """Show what an import of the file would add, and what it would leave out."""

    async def preview(agent: "LocalAgent") -> "ImportPreview":
        from personaagent.memory.exchange.preview import preview_import

        with naming_problems():
            return await preview_import(agent.memory(user), file, progress_bar)

    print_result(run_with_agent(preview), as_json, preview_view)


@contextmanager
def naming_problems() -> Iterator[None]:
    """Show each problem of a file that is refused."""
    from personaagent.memory.exchange.check_import import Refused

    try:
        yield
    except Refused as refused:
        for problem in refused.problems:
            print_notice(problem)
        raise
