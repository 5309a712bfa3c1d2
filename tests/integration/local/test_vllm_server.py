"""vLLM for one worker: started, asked with its key, and ended with the worker. A script plays vLLM."""

import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import psutil
import pytest
from tenacity import retry, stop_after_delay, wait_fixed

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import load_settings
from personaagent.local import vllm_server
from personaagent.local.vllm_server import check_vllm, vllm_settings

VLLM = """#!{python}
import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

serve, model, _, host, _, port = sys.argv[1:]
assert serve == "serve"
if model == "broken":
    print("loading ...")
    sys.exit("There is no memory for this model.")

class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Handler.asked += 1
        if model == "slow" and Handler.asked == 1:
            time.sleep(1)
        allowed = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"]
        self.send_response(200 if self.path == "/health" or allowed else 401)
        self.end_headers()
        self.wfile.write(model.encode())

    def log_message(self, *_):
        pass

ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"""
WORKER = """
import asyncio
from personaagent.core.settings import load_settings
from personaagent.local.vllm_server import vllm_settings

async def main():
    async with vllm_settings(load_settings(), "some/model") as settings:
        print(settings.openai_base_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def vllm(monkeypatch, tmp_path: Path) -> None:
    """A command ``vllm`` on the PATH."""
    script = tmp_path / "bin" / "vllm"
    script.parent.mkdir()
    script.write_text(VLLM.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PERSONAAGENT_HOME", str(tmp_path / "home"))


async def test_every_role_asks_the_served_model_with_its_key() -> None:
    async with vllm_settings(load_settings(critic_model="other"), "some/model") as settings:
        assert [settings.model_for(role) for role in ("actor", "critic", "editor")] == [
            "some/model"
        ] * 3
        assert not settings.embedded
        assert settings.openai_api_key is not None
        key = settings.openai_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as client:
            url = f"{settings.openai_base_url}/models"
            assert (await client.get(url)).status == 401
            assert await (await client.get(url, headers=headers)).text() == "some/model"
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(url)


async def test_a_model_that_cannot_be_served_says_why() -> None:
    with pytest.raises(ConfigurationError, match="broken: There is no memory for this model"):
        async with vllm_settings(load_settings(), "broken"):
            raise AssertionError("it is served")


async def test_a_server_that_answers_late_is_asked_again(monkeypatch) -> None:
    monkeypatch.setattr(vllm_server, "ANSWERING", 0.1)
    async with vllm_settings(load_settings(), "slow") as settings:
        assert settings.model_for("actor") == "slow"


async def test_a_server_that_is_never_ready_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(vllm_server, "ANSWERING", 0.1)
    monkeypatch.setattr(vllm_server, "STARTING", 0.2)
    monkeypatch.setattr(vllm_server, "BETWEEN_LOOKS", 60)
    with pytest.raises(ConfigurationError, match=r"within 0\.2 s"):
        async with vllm_settings(load_settings(), "slow"):
            raise AssertionError("it is served")


def test_the_server_ends_with_a_worker_that_is_killed() -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith("http://127.0.0.1:")
        servers = psutil.Process(worker.pid).children(recursive=True)
        assert any(each.cmdline()[-1].isdecimal() for each in servers), "the port comes last"
    finally:
        worker.kill()
        worker.communicate()
    ended(servers)


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.05), reraise=True)
def ended(processes: list[psutil.Process]) -> None:
    assert not any(each.is_running() for each in processes)


def test_without_vllm_one_sentence_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match=r"personaagent\[vllm\]"):
        check_vllm()
