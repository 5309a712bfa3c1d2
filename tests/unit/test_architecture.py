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
    "server": {"graphs", "memory", "eval"},  # eval: a user's scorecard is asked for over HTTP too
    "eval": {"graphs", "nodes", "memory"},
    "cli": {"server", "eval", "graphs", "tools"},
}
# Topology needs no more of what is below than types, settings and which errors to retry; only
# graphs/local*.py, the one place that opens files, also takes the memory in its hands; benchmarks of
# the server, which are programs and no part of the package, mint tokens for it.
STRICTER = {"graphs": {"core", "models", "nodes"}}
BEYOND = {"graphs/local": {"memory"}, "eval/bench/server": {"server"}}


def below(folder: str) -> set[str]:
    """All that the folder may import."""
    direct = DIRECT[folder]
    return STRICTER.get(folder) or direct.union(*(below(each) for each in direct))


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
        beyond = set().union(*(more for start, more in BEYOND.items() if path.startswith(start)))
        wrong = imported(file) - below(folder) - {folder} - beyond
        assert not wrong, f"{path} imports from {sorted(wrong)}"


def test_every_folder_has_its_place() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(DIRECT)
