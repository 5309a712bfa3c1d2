"""The embedded language model: it answers with its key, and ends when we do."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import httpx
import psutil
import pytest

from personaagent.core.errors import ConfigurationError, DataError
from personaagent.core.settings import load_settings
from personaagent.models.catalog import CHAT, find_model
from personaagent.models.download import ensure
from personaagent.models.embedded import serve, stop

pytestmark = pytest.mark.live

HOME = load_settings().home
CONTEXT = 1024


@pytest.fixture(scope="module")
def model_file() -> Path:
    return asyncio.run(ensure(CHAT, HOME)) / find_model(CHAT).files[0].name


def question() -> dict[str, object]:
    return {
        "messages": [{"role": "user", "content": "Answer with one word: the capital of France?"}],
        "max_tokens": 5,
        "temperature": 0,
    }


async def test_it_answers_with_its_key_only(model_file: Path) -> None:
    endpoint = await serve(model_file, context=CONTEXT)
    try:
        async with httpx.AsyncClient(base_url=endpoint.base_url, timeout=120) as client:
            refused = await client.post("/chat/completions", json=question())
            answer = await client.post(
                "/chat/completions",
                json=question(),
                headers={"Authorization": f"Bearer {endpoint.api_key}"},
            )
    finally:
        stop()

    assert refused.status_code == 401
    assert "Paris" in answer.json()["choices"][0]["message"]["content"]
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert endpoint.api_key not in repr(endpoint)


async def test_it_is_shared_until_it_ends(model_file: Path) -> None:
    first = await serve(model_file, context=CONTEXT)
    assert await serve(model_file, context=CONTEXT) == first
    stop()

    second = await serve(model_file, context=CONTEXT)
    stop()

    assert second.api_key != first.api_key


async def test_it_is_started_again_where_it_died(model_file: Path) -> None:
    first = await serve(model_file, context=CONTEXT)
    [engine] = psutil.Process().children()
    engine.kill()
    engine.wait(10)
    try:
        assert await serve(model_file, context=CONTEXT) != first
    finally:
        stop()


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, DataError), (b"no model", DataError), (b"GGUF" + b"\0" * 4096, ConfigurationError)],
    ids=["missing", "another kind", "damaged"],
)
async def test_what_is_no_model_is_refused(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(error, match="personaagent model pull"):
        await serve(file, context=CONTEXT)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_us_however_we_end(model_file: Path, ending: signal.Signals) -> None:
    """Also in the middle of an answer, and without a word on our output."""
    script = f"""
        import asyncio, httpx
        from pathlib import Path
        from personaagent.models.embedded import serve

        async def main():
            endpoint = await serve(Path({str(model_file)!r}), context={CONTEXT})
            async with httpx.AsyncClient(timeout=120) as client:
                story = {{"messages": [{{"role": "user", "content": "Tell a long story."}}]}}
                async with client.stream(
                    "POST", endpoint.base_url + "/chat/completions",
                    json=story | {{"stream": True}},
                    headers={{"Authorization": "Bearer " + endpoint.api_key}},
                ) as answer:
                    async for line in answer.aiter_lines():
                        print("writing", flush=True)
                        await asyncio.sleep(60)

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            raise SystemExit(130)
    """
    ours = subprocess.Popen(
        [sys.executable, "-c", dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ours.stdout is not None
    assert ours.stdout.readline() == "writing\n"
    [engine] = psutil.Process(ours.pid).children()

    ours.send_signal(ending)
    _, said = ours.communicate(timeout=20)
    engine.wait(20)

    assert ours.returncode == (130 if ending == signal.SIGINT else -ending)
    assert said == ""
