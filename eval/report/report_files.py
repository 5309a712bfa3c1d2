"""The files of a report: report.md, report.html (one file that opens offline) and report.json."""

from collections.abc import Mapping
from pathlib import Path

from personaagent.core.errors import DataError
from personaagent.eval.report.details import collect_details
from personaagent.eval.report.templates import render_template
from personaagent.eval.summary import Summary
from personaagent.eval.tasks.protocol import Task


def write_report(summary: Summary, folder: Path, tasks: Mapping[str, Task]) -> list[Path]:
    """Write the three files into ``folder``; returns their paths.

    Raises:
        DataError: the results cannot be read, or a file cannot be written.
    """
    details = collect_details(summary, folder, tasks)
    return write_files(
        folder,
        {
            "report.md": render_template("report.md.jinja", summary=summary, details=details),
            "report.html": render_template("report.html.jinja", summary=summary, details=details),
            "report.json": summary.model_dump_json(indent=2),
        },
    )


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write each text into the file of that name; returns their paths.

    Raises:
        DataError: a file cannot be written.
    """
    paths = [folder / name for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise DataError(f"{path} cannot be written ({error.strerror}).") from error
    return paths
