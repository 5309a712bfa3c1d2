"""Health, readiness and metrics of a running server: what they tell, and whom."""

from itertools import count
from typing import Any

from tests.server.conftest import METRICS_TOKEN
from tests.support.server import Server

PLACE = "/metrics/personaagent"
OPERATOR = {"Authorization": f"Bearer {METRICS_TOKEN}"}
USERS = count()


async def shown(server: Server) -> dict[str, float]:
    """Every sample by its name and labels."""
    async with server.http(None, OPERATOR) as http:
        told = await http.get(PLACE)
    assert told.headers["content-type"].startswith("text/plain")
    samples = [line.rpartition(" ") for line in told.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in samples}


async def test_health_and_readiness_need_no_token_and_tell_nothing_private(
    token_server: Server,
) -> None:
    async with token_server.http(None) as http:
        health, ready = await http.get("/health"), await http.get("/ready")
    assert (health.status_code, health.json()) == (200, {"ok": True})
    assert (ready.status_code, ready.json()) == (
        200,
        {"store": True, "index": True, "models": True},
    )


async def test_metrics_are_the_operators_alone(token_server: Server) -> None:
    user = f"watched-{next(USERS)}"
    for headers in ({}, token_server.headers(user), {"Authorization": f"Basic {METRICS_TOKEN}"}):
        async with token_server.http(None, headers) as http:
            refused = await http.get(PLACE)
        assert refused.status_code == 401
        assert "personaagent_turns" not in refused.text
    async with token_server.http(None, OPERATOR) as http:
        assert (await http.get("/me/persona")).status_code == 401


async def test_without_a_token_for_them_nobody_is_shown_metrics(open_server: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer None"}):
        async with open_server.http(None, headers) as http:
            refused = await http.get(PLACE)
        assert (refused.status_code, "personaagent_turns" in refused.text) == (404, False)


async def test_the_servers_own_metrics_show_none_of_ours(token_server: Server) -> None:
    async with token_server.http(None) as http:
        assert "personaagent_" not in (await http.get("/metrics")).text


async def test_turns_and_failures_of_the_graphs_are_counted(token_server: Server) -> None:
    before = await shown(token_server)
    user = f"watched-{next(USERS)}"
    message: Any = {"role": "user", "content": "My dog is called Rex."}
    async with token_server.sdk(user) as sdk:
        await sdk.runs.wait(None, "agent", input={"messages": [message]})
    after = await shown(token_server)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more("personaagent_turns_total") == 1
    assert more("personaagent_turn_seconds_count") == 1
    assert more("personaagent_recall_seconds_count") == 1
    assert more('personaagent_model_seconds_count{role="actor"}') == 1
    assert more('personaagent_tokens_total{direction="output",role="actor"}') > 0
    assert user not in str(after)


async def test_requests_of_all_routes_are_measured_by_the_route_alone(token_server: Server) -> None:
    user = f"watched-{next(USERS)}"
    async with token_server.sdk(user) as sdk, token_server.http(user) as http:
        thread = (await sdk.threads.create())["thread_id"]
        await sdk.threads.get(thread)
        assert (await http.get("/me/persona")).status_code == 200
        assert (await http.get("/me/episodes/nothing-of-mine")).status_code == 404
        await http.get("/nowhere/at-all")
    after = await shown(token_server)
    for method, route, status in [
        ("GET", "/threads/{thread_id}", 200),
        ("POST", "/threads", 200),
        ("GET", "/me/persona", 200),
        ("GET", "/me/episodes/{episode}", 404),
        ("GET", "other", 404),
    ]:
        labels = f'method="{method}",route="{route}"'
        assert after[f'personaagent_requests_total{{{labels},status="{status}"}}'] >= 1, route
        assert after[f"personaagent_request_seconds_count{{{labels}}}"] >= 1
    for secret in (user, thread, "nothing-of-mine", "at-all"):
        assert secret not in str(after)


async def test_the_runs_that_wait_and_work_are_shown(token_server: Server) -> None:
    after = await shown(token_server)
    assert {'personaagent_runs{status="pending"}', 'personaagent_runs{status="running"}'} <= {
        *after
    }
