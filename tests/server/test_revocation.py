"""A token that is revoked lets nobody in any more, on the development server and on Postgres."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import SECRET, Server

ROUTES = (("GET", "/me/persona"), ("POST", "/threads"), ("POST", "/threads/search"))
REVOKE = "/me/tokens/revoke"


@pytest.fixture(params=["token_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def statuses(server: Server, token: str) -> set[int]:
    """What the routes, ours and LangGraph's, answer to whoever shows the token."""
    async with server.http(None, bearer(token)) as client:
        answers = [await client.request(verb, path, json={}) for verb, path in ROUTES]
    assert all(each.is_success or "revoked" in each.text for each in answers), answers
    return {each.status_code for each in answers}


async def test_one_token_is_revoked_and_the_others_stand(server: Server) -> None:
    lost, kept = server.token("rita"), server.token("rita")
    assert await statuses(server, lost) == {200}
    async with server.http(None, bearer(lost)) as client:
        assert (await client.post(REVOKE, json={})).is_success
        assert (await client.post(REVOKE, json={})).status_code == 401
    assert await statuses(server, lost) == {401}
    assert await statuses(server, kept) == {200}


async def test_forgetting_the_user_revives_no_token(server: Server) -> None:
    lost, kept = server.token("rolf"), server.token("rolf")
    async with server.http(None, bearer(lost)) as client:
        await client.post(REVOKE, json={"which": "this"})
    async with server.http(None, bearer(kept)) as client:
        assert (await client.delete("/me")).is_success
    assert await statuses(server, lost) == {401}


async def test_the_command_revokes_all_tokens_of_a_user(server: Server, tmp_path: Any) -> None:
    lost = [server.token("rosa"), server.token("rosa", hours=100)]
    others = server.token("ruth")
    done = await command(server, tmp_path, "--user", "rosa")
    assert done == (0, "Revoked.\n", "")
    for token in lost:
        assert await statuses(server, token) == {401}
    assert await statuses(server, others) == {200}
    code, _, said = await command(server, tmp_path, "--stdin", stdin=lost[0])
    assert (code, said.count("\n")) == (2, 1)
    assert "revoked" in said
    assert (await command(server, tmp_path, "--stdin", stdin=others))[0] == 0
    assert await statuses(server, others) == {401}


async def test_where_no_server_answers_the_command_says_so(tmp_path: Any) -> None:
    class Nowhere:
        url = "http://127.0.0.1:9"

    code, _, said = await command(Nowhere, tmp_path, "--user", "rosa")  # type: ignore[arg-type]
    assert (code, said.count("\n")) == (4, 1)


async def command(
    server: Server, home: Any, *options: str, stdin: str = ""
) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("personaagent"),
        *("token", "revoke", "--server", server.url, *options),
        cwd=home,
        env={"PERSONAAGENT_AUTH_SECRET": SECRET, "PERSONAAGENT_HOME": str(home), "PATH": ""},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, failed = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, told.decode(), failed.decode()
