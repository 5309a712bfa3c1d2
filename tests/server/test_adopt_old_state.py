"""What the development server kept in ``.langgraph_api`` before it used the data folder."""

import json
from pathlib import Path
from typing import Any

from tests.support.our_routes import ask
from tests.support.server import ROOT, answers_from_memory, running_server

OLD = {"store": {}, "checkpointer": {"serde": {"pickle_fallback": False}}}
REX, ASKED = "My dog is called Rex.", "What is my dog called?"


async def test_memory_and_threads_of_before_are_moved_once(tmp_path: Path) -> None:
    configuration = json.loads((ROOT / "langgraph.json").read_text("utf-8"))
    with running_server(tmp_path, answers_from_memory, configuration=configuration | OLD) as server:
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            told = await ask(sdk, REX)
            corrected = {"signal": "edit", "text": "Noted."}
            await http.put(f"/me/episodes/{told['episode_id']}/feedback", json=corrected)
            await http.post("/me/persona/edits", json={"add": ["Mention the dog."]})
            assert not (tmp_path / "home" / "memory.sqlite").exists()
    old = tmp_path / ".langgraph_api"
    assert any(b"Rex" in file.read_bytes() for file in old.iterdir())
    for _ in range(2):
        with running_server(tmp_path, answers_from_memory) as server:
            async with server.sdk("ana") as sdk, server.http("ana") as http:
                state: Any = await sdk.threads.get_state(told["thread_id"])
                assert len(state["values"]["messages"]) == 2
                [episode] = (await http.get("/me/episodes")).json()["items"]
                assert episode["ground_truth"] == "Noted."
                persona = (await http.get("/me/persona")).json()
                assert (persona["version"], persona["rules"][-1]["text"]) == (2, "Mention the dog.")
                assert (await http.get("/me/profile")).json()["facts"][0]["count"] == 1
    with running_server(tmp_path, answers_from_memory) as server:
        async with server.sdk("ana") as sdk, server.http("ana") as http:
            again: Any = await sdk.runs.wait(
                told["thread_id"],
                "agent",
                input={"messages": [{"role": "user", "content": ASKED}]},
            )
            assert len(again["messages"]) == 4
            assert again["warnings"] == ["7 corrections more until I learn."]
            assert again["messages"][-1]["content"] == "Your dog is called Rex."
            await http.delete("/me")
    for folder in (old, tmp_path / "home"):
        assert [
            file for file in folder.rglob("*") if file.is_file() and b"Rex" in file.read_bytes()
        ] == []
