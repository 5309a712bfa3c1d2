"""``ask`` at every endpoint of docs/endpoints.md: an answer, the same reply remembered, one warning."""

import json
from pathlib import Path

import pytest

from tests.support.command import scripted_command
from tests.support.dialects.all import DIALECTS
from tests.support.dialects.dialect import Body, Dialect, Said


def says(body: Body) -> Said:
    prompt = json.dumps(body["messages"])
    assert "capital of Norway" in prompt
    in_json = "response_format" in body or "JSON schema" in prompt
    return json.dumps({"action": "answer"}) if in_json else "Oslo is the capital."


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_ask(
    dialect: Dialect,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    with scripted_command(
        lambda body: dialect.answer(body, says(body)),
        monkeypatch,
        capsys,
        tmp_path / "home",
        PERSONAAGENT_MODEL=dialect.model,
        PERSONAAGENT_MODEL_RETRIES="0",
    ) as (command, endpoint):
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.base_url.removesuffix("/v1") + dialect.path)
        first = command("ask", "What is the capital of Norway?", "-u", "ann", "--json")
        endpoint.requests.clear()
        second = command("ask", "And what is the capital of Norway?", "-u", "ann")
        requests = [r.body for r in endpoint.requests if r.path.endswith("/completions")]
        kept = command("memory", "list", "-u", "ann", "--json").data

    assert first.code == second.code == 0, first.err + second.err
    assert first.data["reply"] == "Oslo is the capital."
    assert second.out.strip() == "Oslo is the capital."
    assert [episode["response"] for episode in kept] == ["Oslo is the capital."] * 2
    assert all(dialect.refuse(body) is None for body in requests)
    assert dialect.model not in second.err
