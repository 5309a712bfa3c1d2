"""The image of ``langgraph build``: it installs this package without extras, then what is listed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LISTED: list[str] = json.loads((ROOT / "langgraph.json").read_text("utf-8"))["dependencies"]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OF_THE_IMAGE = {"langgraph-cli[inmem]", "langgraph-sdk", "starlette"}
"""What the image brings along."""
FOR_A_MODEL_WITHIN = {"xllamacpp"}
"""What a server leaves out: its language model is an endpoint."""


def name(requirement: str) -> str:
    return re.split(r"[<>=~!; ]", requirement)[0]


def test_the_image_gets_what_the_server_and_the_local_embeddings_need() -> None:
    extras = PROJECT["optional-dependencies"]
    needed = {name(each) for each in extras["server"] + extras["embedded"]}
    listed = {name(each) for each in LISTED if each != "."}
    assert listed == needed - OF_THE_IMAGE - FOR_A_MODEL_WITHIN


def test_no_shell_reads_a_requirement_as_a_redirection() -> None:
    assert not [each for each in LISTED if set("<>|&;") & set(each)]
