"""The report of a run: report.md, report.html (one file that opens offline) and report.json."""

from collections.abc import Mapping
from pathlib import Path

from personaagent.core.errors import DataError
from personaagent.eval.report.evidence import gather
from personaagent.eval.report.page import page
from personaagent.eval.summary import Summary
from personaagent.eval.tasks.protocol import Task


def write_report(summary: Summary, folder: Path, tasks: Mapping[str, Task]) -> list[Path]:
    """Write the three into ``folder``; returns their paths.

    Raises:
        DataError: the samples cannot be read, or a file cannot be written.
    """
    evidence = gather(summary, folder, tasks)
    return write_files(
        folder,
        {
            "report.md": page("report.md.jinja", summary=summary, evidence=evidence),
            "report.html": page("report.html.jinja", summary=summary, evidence=evidence),
            "report.json": summary.model_dump_json(indent=2),
        },
    )


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write each text under its name.

    Raises:
        DataError: a file cannot be written.
    """
    written = []
    for name, text in texts.items():
        path = folder / name
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise DataError(f"{path} cannot be written ({error.strerror}).") from error
        written.append(path)
    return written
