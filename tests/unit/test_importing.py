"""Importing our modules reads no setting, opens nothing, builds no graph and asks nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, json, os, pkgutil, sys
from pathlib import Path

root, home = Path(sys.argv[1]), sys.argv[2]
violations = []


def is_ours_and_no_code(path):
    within = root in path.parents and not {"site-packages", "personaagent.egg-info"} & {*path.parts}
    return within and path.suffix not in (".py", ".pyc")


def watch(event, arguments):
    if event in ("sqlite3.connect", "socket.connect", "subprocess.Popen"):
        violations.append(f"{event}: {arguments}")
    if event != "open" or not isinstance(arguments[0], str):
        return
    path, _, flags = arguments
    if flags & (os.O_WRONLY | os.O_RDWR):
        violations.append(f"written: {path}")
    elif path.startswith(home) or is_ours_and_no_code(Path(path).resolve()):
        violations.append(f"read: {path}")


import personaagent
from langgraph.graph import StateGraph

StateGraph.compile = lambda graph, *_, **__: violations.append(f"compiled: {graph}")
sys.addaudithook(watch)
names = [module.name for module in pkgutil.walk_packages(personaagent.__path__, "personaagent.")]
for name in names:
    before = len(violations)
    importlib.import_module(name)
    violations[before:] = [f"{name} {what}" for what in violations[before:]]
print(json.dumps({"names": names, "violations": violations}))
"""


def test_importing_every_module_of_ours_does_nothing_else(tmp_path: Path) -> None:
    home = str(tmp_path / "nowhere")
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": home,
        "PERSONAAGENT_HOME": home,
        "PERSONAAGENT_TOP_K": "abc",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "MPLCONFIGDIR": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(ROOT), home],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["violations"] == [], "\n".join(outcome["violations"])
    assert {"personaagent.server.graphs", "personaagent.eval.tasks.all"} <= {*outcome["names"]}
