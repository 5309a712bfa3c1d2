"""What version 0.1 wrote opens and works: a data folder, and the database of the server on Postgres.

``tests/fixtures/make_written_by_0_1.py`` wrote it, at commit ace9580, and says what is in it. All is
asked as users ask: by the command and over HTTP. What was simulated before a kill is known by query
and rules; to be found again it has to be asked in the very same words, so that a change of a prompt
of the agent makes ``test_*_goes_on`` fail rightly: such a change costs every user their simulations.
"""

import json
import lzma
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from tests.support.alignment import PREFERENCES
from tests.support.alignment_command import rules
from tests.support.alignment_endpoint import role_of
from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint, Reply, Request
from tests.support.folders import contents
from tests.support.postgres import postgres, postgres_folder, sql
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, running_server
from tests.support.written import (
    BIRD,
    BOAT,
    FIXTURE,
    KNOWN,
    LIMITS,
    Asked,
    every_simulation,
    says,
    says_from_the_conversation,
)

EXPECTED = json.loads((FIXTURE / "expected.json").read_text())
WANTED = [*PREFERENCES]
TRIED_IN_VAIN = f"Say what is lacking: {PREFERENCES[WANTED[1]]}."
"""What the second round of Ben's run tried at best, and refused."""
ASKS = {"messages": [{"role": "user", "content": "What was my boat called?"}]}
LATEST: Any = {"checkpoint_ns": ""}


def script(body: dict[str, Any]) -> Reply:
    """Of walks by the persona; of the user's own by the conversation where one is gone on with."""
    turns = [each["role"] for each in body["messages"]].count("user")
    goes_on = role_of(body) == "actor" and turns > 1
    return says_from_the_conversation(body) if goes_on else says(body)


def unpack(file: str, folder: Path) -> Path:
    """The folder with what was packed into that file of the fixture."""
    with tarfile.open(FIXTURE / file) as tar:
        tar.extractall(folder, filter="data")
    return folder


def simulations(requests: list[Request]) -> list[Asked]:
    """All that was simulated in these requests."""
    return every_simulation(each.body for each in requests if each.path.endswith("/completions"))


def done_before(where: str, user: str) -> set[Asked]:
    """What was simulated for the user before their run was killed."""
    return {(query, tuple(rules)) for query, rules in EXPECTED[where][user]["simulated"]}


def assert_written(shown: Any, written: Any) -> None:
    """Everything that was written is shown as it was; fields that came later may stand beside it."""
    if isinstance(written, dict):
        for key, value in written.items():
            assert_written(shown[key], value)
    elif isinstance(written, list):
        assert len(shown) == len(written)
        for one, other in zip(shown, written, strict=True):
            assert_written(one, other)
    else:
        assert shown == written


def json_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


# The data folder, by the command.


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return unpack("data_folder.tar.xz", tmp_path / "home")


@pytest.fixture
def scripted(monkeypatch, capsys, home: Path) -> Iterator[tuple[Command, Endpoint]]:
    with scripted_command(script, monkeypatch, capsys, home, **LIMITS) as both:
        yield both


def test_episodes_personas_and_profile_are_as_they_were(command: Command) -> None:
    expected = EXPECTED["data_folder"]["ana"]
    assert_written(command("memory", "list", "-u", "ana", "--json").data, expected["episodes"])
    exported = command("memory", "export", "-u", "ana").out
    assert_written(json_lines(exported), json_lines(expected["export"]))
    history = command("persona", "history", "-u", "ana", "--json").data
    assert_written(history, expected["history"])
    assert_written(command("profile", "show", "-u", "ana", "--json").data, expected["profile"])
    assert [each["author"] for each in expected["history"]] == [
        *("initial", "user", "alignment", "user")
    ]
    for version in expected["history"]:
        number = str(version["version"])
        shown = command("persona", "show", "-u", "ana", "--version", number, "--json")
        assert_written(shown.data, version)
    for episode in expected["episodes"]:
        shown = command("memory", "show", episode["id"], "-u", "ana", "--json")
        assert_written(shown.data, episode)
    assert all(rule in command("persona", "diff", "2", "3", "-u", "ana").out for rule in WANTED[:2])
    found = command("memory", "search", "quetzal", "-u", "ana", "--top-k", "1", "--json").data
    assert [each["query"] for each in found] == [BIRD]


def test_what_was_exported_is_imported_again(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(EXPECTED["data_folder"]["ana"]["export"])
    again = command("memory", "import", str(file), "-u", "ana", "--json").data
    assert (again["added"], again["skipped"]) == (0, 10)
    assert command("memory", "import", str(file), "-u", "dan", "--json").data["added"] == 10


def test_an_old_conversation_goes_on(command: Command, endpoint: Endpoint) -> None:
    answer = command("ask", "And my boat?", "-u", "ana", "--thread", "lake", "--json").data
    assert answer["reply"] == KNOWN[BOAT], "by what the conversation said, not by the memory"
    told = [each["content"] for each in endpoint.requests[-1].body["messages"]]
    assert told[1:] == [
        *(BOAT, "Noted.", "What is my boat called?", KNOWN[BOAT], "And my boat?"),
    ]
    assert answer["persona_version"] == 4
    assert all(rule in told[0] for rule in rules(command, "ana"))
    other = command("ask", "Which bird is mine?", "-u", "ana", "--thread", "new", "--json").data
    assert KNOWN[BIRD] in other["reply"], "by the memory"


def test_feedback_on_an_old_answer_is_learned_from(command: Command) -> None:
    episodes = EXPECTED["data_folder"]["ana"]["episodes"]
    [told] = [each["id"] for each in episodes if each["query"] == BOAT]
    assert command("feedback", told, "-u", "ana", "--edit", "A fine name.").code == 0
    shown = command("memory", "show", told, "-u", "ana", "--json").data
    assert shown["ground_truth"] == "A fine name."
    learned = command("align", "-u", "ana", "--json")
    assert (learned.code, learned.data["from_version"]) == (0, 4)
    refreshed = command("profile", "refresh", "-u", "ana", "--json").data
    assert len(refreshed["summary"]) == 2


@pytest.mark.parametrize(("user", "rounds"), [("ben", 2), ("bea", 1)])
def test_an_alignment_that_was_killed_goes_on(
    user: str, rounds: int, command: Command, endpoint: Endpoint
) -> None:
    """Ben's was killed in ``critique``, Bea's within ``simulate``, some branches of which were done.

    What was simulated is simulated again, because the prompt has changed since 0.1.
    """
    ran = command("align", "-u", user, "--json")
    assert ran.code == 0, ran.err
    result = ran.data
    assert (result["from_version"], result["to_version"]) == (1, 2)
    check_whole(result, rounds)
    learned = [each["text"] for each in result["rules_after"][3:]]
    assert learned == rules(command, user)[3:] == WANTED[: len(learned)]
    before = len(done_before("data_folder", user))
    assert result["usage"]["by_role"]["actor"]["llm_calls"] > before
    history = command("persona", "history", "-u", user, "--json").data
    assert [each["author"] for each in history] == ["initial", "alignment"]


def check_whole(result: dict[str, Any], before: int) -> None:
    """The result of a run tells of what it did in so many rounds before it was killed, too."""
    rounds, usage = result["rounds"], result["usage"]
    assert result["stopped_by"] in ("rounds", "no loss")
    assert len(rounds) > before
    assert [each["accepted"] for each in rounds[:before]] == [True, False][:before]
    tried = [each["edits"][0]["text"] for each in rounds[:before]]
    assert tried == [WANTED[0], TRIED_IN_VAIN][:before]
    assert [each["id"] for each in result["rules_before"]] == ["r1", "r2", "r3"]
    assert len(result["rules_after"]) > 4, "the first rule was learned before, others since"
    learned_from = {each for done in rounds for each in done["losses_before"]}
    assert learned_from <= {each["episode"] for each in result["pairs"]}
    assert usage["by_role"]["critic"]["llm_calls"] >= len(rounds)
    of_gate = usage["gate"]["by_role"]["actor"]["llm_calls"]
    of_learning = usage["by_role"]["actor"]["llm_calls"] - of_gate
    assert 0 < of_learning <= len(learned_from), "each episode of a batch is simulated once"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_proposal_that_waited_is_answered(
    answer: str, command: Command, endpoint: Endpoint
) -> None:
    said = command("align", "-u", "cleo", "--approve", stdin=f"{answer}\n".encode())
    assert said.code == 0, said.err
    assert all(rule in said.err for rule in WANTED[:2])
    assert rules(command, "cleo")[3:] == (WANTED[:2] if answer == "y" else [])
    assert command("align", "-u", "cleo", "--dry-run", "--json").code == 0


def test_what_is_forgotten_is_gone_from_the_files(command: Command, home: Path) -> None:
    expected = EXPECTED["data_folder"]["ana"]
    assert held(home, "quetzal")
    [bird] = [each["id"] for each in expected["episodes"] if each["query"] == BIRD]
    receipt = command("memory", "forget", bird, "-u", "ana", "--json").data
    assert receipt["episodes"] == [bird]
    assert [each["text"] for each in receipt["statements"]] == ["The user's bird is a quetzal."]
    assert receipt["rules"] == []
    assert any(each.endswith(":birds") for each in receipt["threads"])
    assert receipt["simulations"] > 0
    assert held(home, "quetzal") == []

    learned = [each for each in expected["history"][-1]["rules"] if each["text"] in WANTED]
    evidence = sorted({each for rule in learned for each in rule["evidence"]})
    receipt = command("memory", "forget", *evidence, "-u", "ana", "--json").data
    assert [each["text"] for each in receipt["rules"]] == WANTED[:2]
    assert rules(command, "ana")[3:] == ["Never use exclamation marks."]


@pytest.mark.parametrize("user", ["ana", "ben", "bea", "cleo"])
def test_a_user_is_forgotten_whole(user: str, command: Command, home: Path) -> None:
    receipt = command("memory", "forget", "--all", "--yes", "-u", user, "--json").data
    assert len(receipt["episodes"]) >= 6
    assert len(receipt["threads"]) == (4 if user == "ana" else 1), "their alignment is one"
    assert command("memory", "list", "-u", user).code == 5
    others = [each for each in ("ana", "ben", "bea", "cleo") if each != user]
    assert all(command("memory", "list", "-u", each).code == 0 for each in others)
    if user == "ana":
        assert held(home, "quetzal") == held(home, "Juniper") == []


def held(home: Path, text: str) -> list[str]:
    """The files of the data folder that hold the text."""
    return [str(path) for path, bytes_ in contents(home).items() if text.encode() in bytes_]


# The server on Postgres, by HTTP.


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    need_postgres()
    with postgres() as address:
        subprocess.run(
            [f"{postgres_folder()}/psql", address, "-q", "-v", "ON_ERROR_STOP=1"],
            input=lzma.decompress((FIXTURE / "postgres.sql.xz").read_bytes()),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        yield address


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    unpack("server_home.tar.xz", folder / "home")
    with running_server(folder, script, **on_postgres(database, **LIMITS)) as server:
        yield server


async def test_the_server_shows_what_it_showed(server: Server) -> None:
    expected = EXPECTED["postgres"]["ana"]
    async with server.http("ana") as http:
        exported = (await http.get("/me/export")).text
        assert_written(json_lines(exported), json_lines(expected["export"]))
        assert_written((await http.get("/me/profile")).json(), expected["profile"])
        shown = (await http.get("/me/persona/versions")).json()["items"]
        assert_written(shown, expected["history"])
        [run] = (await http.get("/me/alignments")).json()["items"]
        told = (await http.get(f"/me/alignments/{run['id']}")).json()
        assert (told["status"], told["result"]["to_version"]) == ("success", 3)
        assert told["progress"]["loss"] == 0


async def test_an_old_thread_is_read_and_gone_on_with(server: Server) -> None:
    thread = EXPECTED["postgres"]["ana"]["thread"]
    conversation = [BOAT, "Noted.", "What is my boat called?", KNOWN[BOAT]]
    async with server.sdk("ana") as client:
        state: Any = await client.threads.get_state(thread)
        assert [each["content"] for each in state["values"]["messages"]] == conversation
        assert len(await client.threads.get_history(thread)) > 1
        assert len(await client.runs.list(thread)) == 2
        done: Any = await client.runs.wait(thread, "agent", input=ASKS)
    told = [each["content"] for each in done["messages"]]
    assert told == [*conversation, "What was my boat called?", KNOWN[BOAT]]
    assert done["warnings"] == []


async def test_an_alignment_that_was_killed_on_a_server_goes_on(server: Server) -> None:
    before = len(server.endpoint.requests)
    async with server.sdk("ben") as client, server.http("ben") as http:
        [thread] = [each["thread_id"] for each in await client.threads.search()]
        state: Any = await client.threads.get_state(thread)
        assert state["next"] == ["critique"]
        done: Any = await client.runs.wait(thread, "alignment", checkpoint=LATEST)
        assert done["result"]["to_version"] == 2
        check_whole(done["result"], 2)
        now = [each["text"] for each in (await http.get("/me/persona")).json()["rules"]]
        assert now == [each["text"] for each in done["result"]["rules_after"]]
        assert now[3:] == WANTED[: len(now) - 3]
    assert simulations(server.endpoint.requests[before:])


async def test_a_proposal_that_waited_on_a_server_is_answered(server: Server) -> None:
    async with server.http("cleo") as http:
        [run] = (await http.get("/me/alignments")).json()["items"]
        waits = (await http.get(f"/me/alignments/{run['id']}")).json()
        assert [each["after"] for each in waits["proposal"]["changes"]] == WANTED[:2]
        said = await http.post("/me/alignments/decision", json={"decision": "approve"})
        assert said.status_code == 202, said.text
        done = await ended(http, said.json()["id"])
        assert done["result"]["to_version"] == 2
        now = [each["text"] for each in (await http.get("/me/persona")).json()["rules"]]
        assert now[3:] == WANTED[:2]


async def test_forget_me_leaves_nothing_of_what_was_there(server: Server, database: str) -> None:
    """Last of all: it is about what the tests before it have read."""
    thread = EXPECTED["postgres"]["ana"]["thread"]
    assert "Juniper" in dumped(database)
    async with server.http("ana") as http:
        receipt = await http.delete("/me")
        assert receipt.status_code == 200, receipt.text
        assert len(receipt.json()["episodes"]) >= 8
        assert thread in receipt.json()["threads"]
        assert (await http.get("/me/export")).content == b""
        assert (await http.get("/me/persona")).json()["version"] == 1
        assert (await http.get(f"/threads/{thread}")).status_code == 404
    assert "Juniper" not in dumped(database)
    assert sql(database, "SELECT count(*) FROM runs WHERE user_id = 'ana'") == "0"
    assert sql(database, "SELECT count(*) FROM runs WHERE user_id = 'ben'") != "0"


async def ended(http: httpx.AsyncClient, run: str) -> dict[str, Any]:
    """The run when it has ended."""

    async def look() -> dict[str, Any]:
        return dict((await http.get(f"/me/alignments/{run}")).json())

    going_on = retry_if_result(lambda told: told["status"] in ("pending", "running"))
    again = AsyncRetrying(retry=going_on, stop=stop_after_delay(60), wait=wait_fixed(0.2))
    return await again(look)


def dumped(database: str) -> str:
    """All that is in the database, in letters: also what is in bytes."""
    dump = [f"{postgres_folder()}/pg_dump", "--data-only", "--no-owner", database]
    told = subprocess.run(dump, check=True, stdout=subprocess.PIPE, text=True).stdout
    shown = [bytes.fromhex(each) for each in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", told)]
    return told + b"\n".join(shown).decode(errors="replace")
