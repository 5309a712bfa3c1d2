"""Who may import whom: the arrows of the design run one way, also inside functions."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIRECT = {  # each may import these, and what is below them
    "core": set(),
    "prompts": {"core"},
    "models": {"core", "prompts"},
    "memory": {"core", "models", "prompts"},  # prompts: the summary's, and how memory is fenced
    "tools": {"memory"},
    "nodes": {"prompts", "models", "memory", "tools"},
    "graphs": {"nodes"},
    "local": {"graphs"},
    "scorecard": {"graphs"},
    "server": {"graphs", "scorecard"},
    "eval": {"graphs", "scorecard"},
    "cli": {"local", "server", "eval", "scorecard"},
}
# Topology needs no more of what is below than types, settings and which errors to retry.
STRICTER = {"graphs": {"core", "models", "nodes"}}


def below(folder: str) -> set[str]:
    """All folders that are below this one."""
    return DIRECT[folder].union(*(below(each) for each in DIRECT[folder]))


def imported(file: Path) -> set[str]:
    """The folders of ours that a file imports from."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("personaagent.")}


@pytest.mark.parametrize("folder", [name for name in DIRECT if (ROOT / name).is_dir()])
def test_imports_run_one_way(folder: str) -> None:
    for file in sorted((ROOT / folder).rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        wrong = imported(file) - STRICTER.get(folder, below(folder)) - {folder}
        assert not wrong, f"{path} imports from {sorted(wrong)}"


def test_every_folder_has_its_place() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == {*DIRECT, "tests", "personaagent"}
