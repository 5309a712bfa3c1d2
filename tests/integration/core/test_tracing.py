"""Traces of turns and alignments on one machine, as LangSmith and a collector receive them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import load_settings
from personaagent.core.tracing import prepare_tracing
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, Scripted
from tests.support.alignment_endpoint import over_http
from tests.support.endpoint import Endpoint, Reply, Status, scripted_endpoint
from tests.support.forks import run
from tests.support.langsmith_recorder import (
    Node,
    Recorder,
    langsmith_recorder,
    watched_proxy,
)

USER = "wanda the walker"
CANARIES = ("walker", "barn", "castle", "kilometres", "quokka", *PREFERENCES)
"""What was said and remembered shows by one of these words."""
OF_A_CALL = ("knows nothing about the user", "openai_api_base", "invocation_params")
"""The description of a tool, and the address and parameters of a model."""
A_USERS_DAY = f"""
import asyncio
from personaagent.core.errors import ServiceError
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from tests.support.alignment import PREFERENCES, walks

async def main():
    async with open_local(load_settings()) as agent:
        walked = walks(5, [next(iter(PREFERENCES))])
        memory = agent.memory("{USER}")
        await memory.episodes.add([w.model_copy(update={{"user_id": "{USER}"}}) for w in walked])
        print((await agent.ask("Tell me about the barn?", "{USER}", thread_id="my quokka")).reply)
        print((await agent.align("{USER}")).to_version)
        try:
            await agent.ask("Tell me about the quokka!", "{USER}", thread_id="my quokka")
        except ServiceError as error:
            print(error)

asyncio.run(main())
"""


def models(body: dict[str, Any]) -> Reply:
    """The models of alignment; to talk of quokkas is refused, with the question in the refusal."""
    last = str(body["messages"][-1]["content"])
    return Status(400, f"not about this: {last}") if "quokka!" in last else ALIGNING(body)


ALIGNING = over_http(Scripted())


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with scripted_endpoint(models) as endpoint:
        yield endpoint


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with langsmith_recorder() as recorder:
        yield recorder


def a_users_day(folder: Path, endpoint: Endpoint, *, fresh: bool = True, **variables: str) -> str:
    """A turn, an alignment and a turn that fails, in a process with these variables; its output.

    ``fresh``: it has them also while it imports LangSmith, which reads some then.
    """
    ours = ("LANGSMITH_", "LANGCHAIN_", "OTEL_", "ORT_", "PERSONAAGENT_", "OPENAI_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
        "PERSONAAGENT_HOME": str(folder),
        "OPENAI_BASE_URL": endpoint.base_url,
        "OPENAI_API_KEY": "a key of the tests",
        "PERSONAAGENT_MODEL": "scripted",
        "PERSONAAGENT_MODEL_RETRIES": "0",
        "PERSONAAGENT_EMBEDDINGS": "openai:test",
        "PERSONAAGENT_ALIGN_TEXT_METRIC": "rouge",
        **variables,
    }
    if fresh:
        done = subprocess.run(
            [sys.executable, "-c", A_USERS_DAY],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[3],
        )
    else:
        done = run(A_USERS_DAY, env=environment)
    assert done.returncode == 0, done.stderr
    answer, version, failure = done.stdout.strip().splitlines()
    assert answer.startswith("The walk to the barn")
    assert version == "2"
    assert "refused the actor model's request" in failure
    return done.stderr


def langsmith(recorder: Recorder) -> dict[str, str]:
    return {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": recorder.url,
        "LANGSMITH_API_KEY": "a key of the tests",
        "LANGSMITH_PROJECT": "walks",
    }


def names(node: Node, run_type: str) -> list[str]:
    return [each.name for each in node.each() if each.run["run_type"] == run_type]


def test_each_turn_and_alignment_is_one_tree(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    a_users_day(tmp_path, endpoint, fresh=False, **langsmith(recorder))
    turn, alignment, failed = recorder.trees()
    assert turn.outline() == (
        "agent",
        [
            *("recall", "question", "inject_persona"),
            *(("react", ["ChatOpenAI", "_route"]), "decide", "remember"),
        ],
    )
    steps = [child.name for child in alignment.children]
    assert alignment.name == "alignment"
    assert steps[:2] == ["sample", "simulate"]
    assert list(dict.fromkeys(steps)) == [
        *("sample", "simulate", "compare", "critique", "update", "gate", "publish"),
    ]
    simulate = alignment.children[1]
    assert simulate.outline() == (
        "simulate",
        [("answer again", [("react", ["ChatOpenAI"]), "decide"])],
    )
    calls = alignment.run["outputs"]["result"]["usage"]["llm_calls"]
    assert len(names(alignment, "llm")) == calls > 0
    for tree, name in ((turn, "agent"), (alignment, "alignment"), (failed, "agent")):
        assert {name, "personaagent"} <= set(tree.run["tags"])
        assert tree.run["session_name"] == "walks"
        assert tree.metadata["user"] == user_key(USER)
        assert tree.run["end_time"]
    assert [each.metadata["persona_version"] for each in (turn, alignment, failed)] == [1, 1, 2]
    assert turn.metadata["thread_id"] == failed.metadata["thread_id"]
    about = alignment.metadata
    assert (about["trigger"], about["from_version"], about["to_version"]) == ("library", 1, 2)
    assert about["stopped_by"] == "no loss"
    assert turn.run["inputs"]["messages"][0]["content"] == "Tell me about the barn?"
    assert "not about this" in failed.run["error"]
    assert USER.encode() not in recorder.said()


def test_without_content_no_word_goes_out_to_langsmith_nor_to_a_collector(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    with langsmith_recorder() as collector:
        a_users_day(
            tmp_path,
            endpoint,
            PERSONAAGENT_TRACE_CONTENT="false",
            LANGSMITH_TRACING_MODE="hybrid",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            **langsmith(recorder),
        )
    turn, alignment, failed = recorder.trees()
    assert [each.name for each in (turn, alignment, failed)] == ["agent", "alignment", "agent"]
    assert turn.metadata["user"] == user_key(USER)
    assert failed.run["error"] == "ModelError"
    [model] = [each for each in turn.each() if each.run["run_type"] == "llm"]
    assert model.metadata["usage_metadata"]["input_tokens"] > 0
    assert len(collector.spans()) == len(recorder.runs())
    for said in (recorder.said(), collector.said()):
        assert said
        for word in (*CANARIES, *OF_A_CALL):
            assert word.encode() not in said, word


def test_opentelemetry_alone_needs_no_key_and_sends_langsmith_nothing(
    tmp_path: Path, endpoint: Endpoint, recorder: Recorder
) -> None:
    with watched_proxy() as (proxy, left):
        a_users_day(
            tmp_path,
            endpoint,
            LANGSMITH_TRACING="true",
            LANGSMITH_TRACING_MODE="otel",
            OTEL_EXPORTER_OTLP_ENDPOINT=recorder.url,
            PERSONAAGENT_TRACE_USER="plain",
            **proxy,
        )
    assert left == []
    assert {each.path for each in recorder.received} == {"/v1/traces"}
    spans = sorted(recorder.spans(), key=lambda span: span.start_time_unix_nano)
    roots = [span for span in spans if span.name in ("agent", "alignment")]
    assert [span.name for span in roots] == ["agent", "alignment", "agent"]
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        if span.parent_span_id in by_id:
            assert by_id[span.parent_span_id].trace_id == span.trace_id
        else:
            assert span in roots
    [recall] = [s for s in spans if s.name == "recall" and s.trace_id == roots[0].trace_id]
    assert recall.parent_span_id == roots[0].span_id
    attributes = {each.key: each.value.string_value for each in roots[1].attributes}
    assert attributes["langsmith.metadata.user"] == USER
    assert "alignment" in attributes["langsmith.span.tags"]


def test_with_nothing_set_nothing_leaves_the_machine(tmp_path: Path, endpoint: Endpoint) -> None:
    reports = tmp_path / "cache"  # onnxruntime keeps there what it reports, seconds later
    with watched_proxy() as (proxy, left):
        a_users_day(tmp_path / "home", endpoint, XDG_CACHE_HOME=str(reports), **proxy)
    assert left == []
    assert not (reports / "Microsoft").exists()


def test_a_collector_that_cannot_be_sent_to_is_no_reason_to_send_to_langsmith(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_TRACING_MODE", "otel")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "personaagent.core.tracing_otel", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install -e '.\[otel\]'"):
        prepare_tracing(load_settings())
