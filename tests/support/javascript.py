"""Programs of ``tests/javascript``, run by Node with the packages that they name."""

import json
import os
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest

from tests.support.server import ROOT

FOLDER = ROOT / "tests" / "javascript"
BUILT = ROOT / "build" / "javascript"
"""Where the packages are, beside copies of the programs."""
NODE = 20
SECONDS = 120


def need_node() -> str:
    """Node; skips the test where there is none that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("there is no Node on this machine (node, npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=SECONDS)
    if int(version.stdout.strip().lstrip("v").split(".")[0]) < NODE:
        pytest.skip(f"Node {NODE} is needed; this machine has {version.stdout.strip()}")
    return node


def run_program(name: str, **environment: str) -> Any:
    """What the program prints as JSON; ``environment`` is added to the usual one."""
    node = need_node()
    _install_packages()
    program = shutil.copy(FOLDER / name, BUILT)
    done = subprocess.run(
        [node, program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def _install_packages() -> None:
    """Install what ``package.json`` names, where that has not been done."""
    wanted = (FOLDER / "package.json").read_text("utf-8")
    installed = BUILT / "installed.json"
    if installed.is_file() and installed.read_text("utf-8") == wanted:
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / "package.json").write_text(wanted, "utf-8")
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=BUILT, capture_output=True, text=True, timeout=5 * SECONDS)
    if done.returncode:
        pytest.skip(f"npm installs nothing here: {done.stderr.strip()[-200:]}")
    installed.write_text(wanted, "utf-8")
