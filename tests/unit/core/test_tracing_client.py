"""What is sent of a run that names its user under any key."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage
from langsmith import Client

from personaagent.core.settings import load_settings
from personaagent.core.tracing_client import TracingClient
from personaagent.core.users import user_key

USER = "wanda the walker"
METADATA = {
    "user_id": USER,
    "user_display_name": USER,
    "langgraph_auth_user_id": USER,
    "langgraph_host": USER,
    "ls_anything": {"deep": [USER, {USER: 1}]},
    "assistant_id": "a1",
}
INPUTS = {"messages": [HumanMessage("Who am I?", name=USER)], "whose": (USER, 7)}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What LangSmith's client would send, after it has hidden what it is to hide."""
    runs: list[dict[str, Any]] = []

    def create_run(self: Client, name: str, inputs: Any, run_type: str, **kwargs: Any) -> None:
        run = {"name": name, "inputs": inputs, "run_type": run_type, **kwargs}
        runs.append(self._run_transform(run, copy=True))

    def update_run(self: Client, run_id: Any, **kwargs: Any) -> None:
        runs.append(self._run_transform({"id": run_id, **kwargs}, update=True))

    # which would ask LangSmith what it takes
    monkeypatch.setattr("langsmith.client._tracing_control_thread_func", lambda _: None)
    monkeypatch.setattr(Client, "create_run", create_run)
    monkeypatch.setattr(Client, "update_run", update_run)
    return runs


def client(folder: Path, **settings: Any) -> TracingClient:
    return TracingClient(load_settings(home=folder, **settings))


def a_run(client: TracingClient, metadata: dict[str, Any]) -> None:
    """A root with this metadata, a step within it that does not say whose it is, and the root's end."""
    root, step = uuid4(), uuid4()
    extra = {"metadata": metadata}
    client.create_run(
        "agent", INPUTS, "chain", id=root, trace_id=root, extra=extra, tags=[USER, "t"]
    )
    client.create_run(
        "step", INPUTS, "chain", id=step, trace_id=root, extra={"metadata": {"ls_a": USER}}
    )
    client.update_run(root, trace_id=root, outputs={"told": USER, "n": [USER]}, error=USER)


@pytest.mark.parametrize("content", [True, False])
def test_the_users_id_is_sent_as_a_hash_whatever_it_stands_under(
    content: bool, tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    a_run(client(tmp_path, trace_content=content), METADATA)
    root, step, end = sent
    assert USER not in str(sent)
    assert root["tags"] == [user_key(USER), "t"]
    assert step["extra"]["metadata"]["ls_a"] == user_key(USER)
    assert root["extra"]["metadata"]["assistant_id"] == "a1"
    if content:
        assert root["extra"]["metadata"]["user_display_name"] == user_key(USER)
        assert end["outputs"] == {"told": user_key(USER), "n": [user_key(USER)]}


def test_the_id_of_one_trace_hides_nothing_of_another(
    tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    tracing = client(tmp_path)
    a_run(tracing, METADATA | {"user_id": "step"})
    tracing.create_run("agent", {"told": "step"}, "chain", id=uuid4(), extra={"metadata": {}})
    assert sent[-1]["inputs"] == {"told": "step"}


def test_it_is_sent_as_it_is_where_the_settings_say_so(
    tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    a_run(client(tmp_path, trace_user="plain"), METADATA)
    assert sent[0]["extra"]["metadata"]["user_display_name"] == USER
    assert sent[0]["tags"] == [USER, "t"]
