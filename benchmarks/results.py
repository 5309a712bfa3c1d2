"""What the benchmarks measured, kept in ``measured.json``: the last result of each command."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from measurement import Measurement

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Result:
    """What one command measured.

    Args:
        command: the script without ``.py``, and its arguments.
        day: when, as in 2026-11-28.
        machine: cores and memory, and how busy it was.
        measurements: none if it failed or was skipped.
        skipped: why nothing could be measured; else empty.
        quick: whether sizes were smaller.
    """

    command: str
    day: str
    machine: str
    measurements: list[Measurement] = field(default_factory=list)
    skipped: str = ""
    quick: bool = False

    @property
    def failed(self) -> bool:
        """Whether it neither measured nor said why it cannot."""
        return not self.measurements and not self.skipped

    def find(self, name: str) -> Measurement | None:
        """The measurement of that name, where ``*`` stands for any text; None if there is none."""
        return next((each for each in self.measurements if fnmatchcase(each.name, name)), None)


def read_results(file: Path = FILE) -> dict[str, Result]:
    """The results by command; none without the file."""
    entries = json.loads(file.read_text("utf-8")) if file.exists() else []
    return {entry["command"]: _result(entry) for entry in entries}


def write_results(results: Iterable[Result], file: Path = FILE) -> None:
    """Replace the file, sorted by command, without what is empty."""
    entries = [_entry(each) for each in sorted(results, key=lambda each: each.command)]
    file.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _entry(result: Result) -> dict[str, Any]:
    fields = asdict(result)
    fields["measurements"] = [_filled(each) for each in fields["measurements"]]
    return _filled(fields)


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Without empty fields; figures with four digits."""
    filled = {n: v for n, v in fields.items() if not (v is None or v is False or v in ("", []))}
    return {n: float(f"{v:.4g}") if isinstance(v, float) else v for n, v in filled.items()}


def _result(entry: dict[str, Any]) -> Result:
    measurements = [Measurement(**each) for each in entry.get("measurements", [])]
    return Result(**{**entry, "measurements": measurements})
