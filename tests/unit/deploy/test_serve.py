"""The production server's file, as it is imported."""

import os
import subprocess
import sys
from pathlib import Path

SERVE = Path(__file__).parents[3] / "deploy" / "serve.py"
IMPORT = f"""
import runpy
runpy.run_path({str(SERVE)!r}, run_name="served")
from langgraph.checkpoint.serde import _msgpack
print(_msgpack.STRICT_MSGPACK_ENABLED)
"""


def test_langgraph_reads_checkpoints_strictly_before_anything_is_set() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "LANGGRAPH_STRICT_MSGPACK"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.strip() == "True", done.stderr
