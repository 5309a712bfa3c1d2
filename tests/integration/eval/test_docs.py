"""The example of docs/evaluation.md, run as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.endpoint import scripted_endpoint
from tests.support.langsmith_datasets import Datasets
from tests.support.langsmith_recorder import langsmith_recorder

DOCS = Path(__file__).parents[3] / "docs" / "evaluation.md"


def script(body: dict[str, Any]) -> str:
    return "In Lisbon." if "live" in str(body["messages"][-1]["content"]) else "Your dog is Max."


@pytest.mark.parametrize("tracked", ["false", "true"])
def test_regression_cases_of_a_user(tmp_path: Path, tracked: str) -> None:
    """One of the two cases fails; LangSmith hears of it if it is to, and else of nothing."""
    [example] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "test_ana.py").write_text(example)
    datasets = Datasets()
    with scripted_endpoint(script) as endpoint, langsmith_recorder() as recorder:
        recorder.answer = datasets
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "test_ana.py"],
            cwd=tmp_path,
            env=os.environ
            | {
                "PERSONAAGENT_HOME": str(tmp_path / "home"),
                "OPENAI_BASE_URL": endpoint.base_url,
                "PERSONAAGENT_MODEL": "scripted",
                "PERSONAAGENT_EMBEDDINGS": "openai:test",
                "LANGSMITH_TEST_TRACKING": tracked,
                "LANGSMITH_TRACING": tracked,
                "LANGSMITH_ENDPOINT": recorder.url,
                "LANGSMITH_API_KEY": "a key of the tests",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert "1 failed, 1 passed" in done.stdout
    if tracked == "false":
        assert recorder.received == []
        return
    assert [each["name"] for each in datasets.datasets] == ["what Ana is told"]
    scores = [each["score"] for each in datasets.feedback if each["key"] == "right"]
    assert sorted(scores) == [0, 1]
    assert b"In Lisbon." in recorder.said()
