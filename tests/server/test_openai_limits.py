"""The limits of a user, as clients of OpenAI's API meet them."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.server import Server, answers_from_memory, running_server

LONGEST_BODY, DAILY_TOKENS, PER_MINUTE, TURNS = 20_000, 800, 40, 30


@pytest.fixture(scope="module")
def server(backend: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("openai-limits")
    with running_server(
        folder,
        answers_from_memory,
        PERSONAAGENT_MAX_BODY_BYTES=str(LONGEST_BODY),
        PERSONAAGENT_DAILY_TOKENS=str(DAILY_TOKENS),
        PERSONAAGENT_REQUESTS_PER_MINUTE=str(PER_MINUTE),
        **backend,
    ) as server:
        yield server


def client_of(server: Server, user: str) -> AsyncOpenAI:
    key = server.token(user)
    return AsyncOpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0, timeout=60)


async def ask(client: AsyncOpenAI, text: str, **more: Any) -> Any:
    question: Any = [{"role": "user", "content": text}]
    return await client.chat.completions.create(model="personaagent", messages=question, **more)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_day_whose_tokens_are_spent_is_a_rate_limit(server: Server, stream: bool) -> None:
    async def talk(client: AsyncOpenAI) -> None:
        for _ in range(TURNS):
            told = await ask(client, "What is my dog called?", stream=stream)
            if stream:
                [chunk async for chunk in told]

    async with client_of(server, f"talker-{stream}") as client:
        with pytest.raises(openai.RateLimitError, match="used up") as refused:
            await talk(client)
    assert int(refused.value.response.headers["retry-after"]) > 0


async def test_too_many_requests_and_too_long_ones_are_refused_likewise(server: Server) -> None:
    async with client_of(server, "hasty") as client:
        with pytest.raises(openai.APIStatusError, match="too long") as refused:
            await ask(client, "x" * LONGEST_BODY)
        assert refused.value.status_code == 413
        with pytest.raises(openai.RateLimitError, match="in a minute"):
            [await client.models.list() for _ in range(PER_MINUTE + 20)]
