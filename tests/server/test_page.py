"""The page in a real browser: each file of ``web/e2e`` against servers of its own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from personaagent.server.app import app
from personaagent.server.page import is_built
from tests.support.alignment import PREFERENCES, walks
from tests.support.endpoint import Reply, Stall
from tests.support.issuer import scripted_issuer
from tests.support.server import Server, answers_from_memory, free_port, running_server

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = os.environ.get("PAGE_CHROMIUM") or shutil.which("chromium")
SECONDS = 300
ENDLESS = "Never come to an end."
"""A message to which the answer begins, and never ends."""
HOSTILE = "Answer with HTML."
"""A message whose answer tries to run scripts."""
HOSTILE_ANSWER = (
    "<img src=x onerror=alert(1)><svg onload=alert(2)></svg>"
    '<iframe src="javascript:alert(3)"></iframe> [go](javascript:alert(4)) **safe**'
)
RULE = next(iter(PREFERENCES))
WALKS = "\n".join(each.model_dump_json(exclude={"user_id"}) for each in walks(6, [RULE]))
"""What a walker wanted, from which the scripted critic draws the rule."""


def answers(body: dict[str, Any]) -> Reply:
    """A model that knows only what its prompt says."""
    if ENDLESS in str(body["messages"][-1]["content"]):
        return Stall("Half an answer")
    if HOSTILE in str(body["messages"][-1]["content"]):
        return HOSTILE_ANSWER
    return answers_from_memory(body)


def need_browser() -> None:
    """Skip where the page, or what tries it, is missing."""
    for there, what in (
        (shutil.which("node"), "Node 20 is missing"),
        (CHROMIUM, "Chromium is missing: install Debian's package chromium"),
        ((WEB / "node_modules" / "playwright-core").is_dir() and is_built(), "run make web first"),
    ):
        if not there:
            pytest.skip(what)


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without tokens, whose model can be made to stall."""
    need_browser()
    with running_server(tmp_path_factory.mktemp("page"), answers, secret=None) as server:
        yield server


def environment(server: Server, **more: str) -> dict[str, str]:
    """What a script in ``web/e2e`` is given."""
    given = {"PAGE_SERVER": server.url, "PAGE_CHROMIUM": str(CHROMIUM)}
    return {**os.environ, **given, "PAGE_WALKS": WALKS, "PAGE_RULE": RULE, **more}


def run_in_browser(file: str, server: Server, **more: str) -> None:
    """Run a file of browser tests; their report is what the failure says."""
    run = subprocess.run(
        ["node", "--test", "--test-timeout=280000", f"e2e/{file}"],
        cwd=WEB,
        env=environment(server, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{server.log[-3000:]}"


OPEN_TO_ALL = sorted(file.name for file in (WEB / "e2e").glob("*.test.mjs"))


@pytest.mark.parametrize("file", OPEN_TO_ALL)
def test_without_tokens(file: str, page_server: Server) -> None:
    run_in_browser(file, page_server)


@pytest.mark.parametrize("name", ["token_server", "postgres_server"])
def test_with_tokens(name: str, request: pytest.FixtureRequest) -> None:
    need_browser()
    server: Server = request.getfixturevalue(name)
    tokens = {"PAGE_TOKEN": server.token("tess"), "PAGE_EXPIRED": server.token("tess", hours=-1)}
    run_in_browser("with-tokens.mjs", server, **tokens)


def test_signing_in_at_an_issuer(tmp_path: Path) -> None:
    need_browser()
    with (
        scripted_issuer() as issuer,
        running_server(tmp_path, answers, secret=None, **issuer.settings) as server,
    ):
        run_in_browser("openid.mjs", server, PAGE_ISSUER=issuer.url)


def test_a_server_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    need_browser()
    with ThreadPoolExecutor() as pool:
        with running_server(tmp_path, answers, secret=None) as server:
            pid = str(server.process.pid)
            browser = pool.submit(run_in_browser, "killed.mjs", server, PAGE_PID=pid)
            while server.process.poll() is None and not browser.done():
                time.sleep(0.1)
        port = urlsplit(server.url).port
        with running_server(tmp_path, answers_from_memory, secret=None, port=port):
            browser.result()


def test_a_model_that_cannot_be_reached(tmp_path: Path) -> None:
    need_browser()
    nowhere = {"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1"}
    with running_server(tmp_path, answers, secret=None, **nowhere) as server:
        run_in_browser("unreachable.mjs", server)


def test_the_page_fits_the_routes_as_they_are(tmp_path: Path) -> None:
    need_browser()
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(app.openapi()), "utf-8")
    shutil.copytree(WEB / "src", tmp_path / "src")
    shutil.copy(WEB / "tsconfig.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    tools = WEB / "node_modules" / ".bin"
    generate = [
        tools / "openapi-typescript",
        schema,
        "-o",
        tmp_path / "src" / "api" / "schema.d.ts",
    ]
    for command in (generate, [tools / "tsc", "--project", tmp_path]):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS)
        assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
