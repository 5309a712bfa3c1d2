"""The chat, driven by lines on standard input and by keys on a pseudo-terminal."""

import re
import threading
from typing import Any

import pytest

from personaagent.cli.chat import handle_line
from personaagent.cli.chat_commands import CHAT_COMMANDS
from personaagent.cli.chat_session import ChatSession
from personaagent.core.records import Rule
from personaagent.core.settings import load_settings
from personaagent.local.agent import open_local
from tests.support.command import Command
from tests.support.endpoint import Reply, Stall, Status, ToolCall
from tests.support.memories import episode
from tests.support.terminal import Terminal

TYPED_AHEAD = threading.Event()


def script(body: dict[str, Any]) -> Reply:
    """Answers by what stands in the prompt: how often it was greeted, and where the user lives."""
    texts = [str(message["content"]) for message in body["messages"]]
    last = texts[-1]
    if last == "Who fails?":
        return Status(400, "no such thing")
    if last == "Think for ever.":
        return Stall("Well")
    if last == "Wait.":
        assert TYPED_AHEAD.wait(60)
    if last == "Look it up.":
        return [ToolCall("recall_episodes", {"query": "home Lisbon"})]
    home = "Lisbon" if "Lisbon" in "\n".join(texts) else "nowhere"
    return f"{texts[1:].count('Hello.')} greetings; you live in {home}."


def talk(command: Command, *lines: str) -> Any:
    result = command(
        "chat", "--user", "ann", stdin="\n".join(lines).encode(errors="surrogateescape")
    )
    assert result.code == 0
    return result


def episodes(command: Command) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = command("memory", "list", "--user", "ann", "--json").data
    return listed


def test_a_line_is_a_turn_and_the_turns_are_one_conversation(command: Command) -> None:
    result = talk(command, "Hello.", "", "Hello.", "/quit", "Hello.")
    assert result.out == "1 greetings; you live in nowhere.\n2 greetings; you live in nowhere.\n"
    assert result.err == ""


def test_a_conversation_can_be_gone_on_with(command: Command) -> None:
    for greetings in (1, 2):
        result = command("chat", "-u", "ann", "--thread", "t", stdin=b"Hello.")
        assert result.out.startswith(f"{greetings} greetings")


@pytest.mark.parametrize(
    ("line", "signal", "truth"),
    [
        ("/good", "accept", "0 greetings; you live in nowhere."),
        ("/bad", "reject", None),
        ("/fix I live in Lisbon.", "edit", "I live in Lisbon."),
    ],
)
def test_the_last_answer_is_judged(line, signal, truth, command: Command) -> None:
    talk(command, "Hi.", "Where?", line)
    last, first = episodes(command)
    assert (last["query"], last["signal"], last["ground_truth"]) == ("Where?", signal, truth)
    assert (first["query"], first["signal"]) == ("Hi.", None)


@pytest.mark.parametrize(
    ("line", "signal", "truth"),
    [
        ("/good #2", "accept", "0 greetings; you live in nowhere."),
        ("/bad 2", "reject", None),
        ("/fix #2 I live in Lisbon.", "edit", "I live in Lisbon."),
    ],
)
def test_an_earlier_answer_is_judged(line, signal, truth, command: Command) -> None:
    result = talk(command, "Hi.", "Where?", line)
    assert "(Hi.)" in result.err, "it says which"
    last, first = episodes(command)
    assert (first["signal"], first["ground_truth"]) == (signal, truth)
    assert last["signal"] is None


def test_an_answer_of_another_chat_is_judged_by_its_id(command: Command) -> None:
    talk(command, "Hi.")
    [first] = episodes(command)
    talk(command, "Where?", f"/fix #{first['id']} Hello, Ann.")
    assert episodes(command)[1]["ground_truth"] == "Hello, Ann."


@pytest.mark.parametrize("text", ["42", "#hashtag first", "# A heading", "2 apples"])
def test_a_correction_may_look_like_a_number(text: str, command: Command) -> None:
    talk(command, "Hi.", f"/fix {text}")
    assert episodes(command)[0]["ground_truth"] == text


def test_a_correction_stays_until_it_is_dropped(command: Command) -> None:
    result = talk(command, "Hi.", "/fix Hello, Ann.", "/good", "/bad")
    assert "your correction stays what you wanted" in result.err
    assert 'You corrected this answer to "Hello, Ann.", and that stays' in result.err
    [kept] = episodes(command)
    assert (kept["signal"], kept["ground_truth"]) == ("edit", "Hello, Ann.")
    talk(command, "Where?", "/fix x", "/bad force")
    assert episodes(command)[0]["signal"] == "reject"


def test_why_shows_what_the_last_answer_rests_on(command: Command) -> None:
    talk(command, "My home is Lisbon.")
    [episode] = episodes(command)
    shown = talk(command, "Look it up.", "/why").out
    assert re.search(rf"^{episode['id'][:8]} +My home is Lisbon\.$", shown, re.MULTILINE)
    assert "Looked up with recall_episodes (query: home Lisbon)" in shown
    assert "Rules of version 1, by initial" in shown
    assert "r2  Give the final answer" in shown


def test_persona_and_memory_show_what_stands_there(command: Command) -> None:
    shown = talk(command, "Hi.", "/persona", "/memory").out
    assert "r3  Where the user's past choices" in shown
    assert re.search(r"^[0-9a-f]{8} +Hi\.$", shown, re.MULTILINE)


async def test_why_shows_the_rules_that_spoke_with_their_evidence(command: Command) -> None:
    async with open_local(load_settings()) as agent:
        chat, personas = ChatSession(agent, "ann", "t"), agent.memory("ann").personas
        await handle_line(chat, "Hello.")
        cited = [episode(each, user_id="ann") for each in ("e1", "e2")]
        await agent.memory("ann").episodes.add(cited)
        rules = [Rule(id="r4", text="Greet back.", evidence=["e1", "e2"])]
        await personas.publish(rules, author="alignment", note="round 1", parent=1)
        await handle_line(chat, "Hello.")
        await personas.roll_back(1)
        command.capsys.readouterr()
        await handle_line(chat, "/why")
    shown = command.capsys.readouterr().out
    assert "Rules of version 2, by alignment" in shown
    assert shown.endswith("r4  Greet back.  (from e1, e2)\n")


async def test_a_persona_that_changed_meanwhile_is_told(command: Command) -> None:
    async with open_local(load_settings()) as agent:
        chat = ChatSession(agent, "ann", "t")
        await handle_line(chat, "Hello.")
        await handle_line(chat, "Hello.")
        assert command.capsys.readouterr().err == ""
        await agent.memory("ann").personas.lock_rule("r1", locked=True)
        await handle_line(chat, "Hello.")
    assert "Your persona is now at version 2" in command.capsys.readouterr().err


def test_incognito_remembers_nothing_until_it_is_toggled_back(command: Command) -> None:
    result = talk(command, "/incognito", "My home is Lisbon.", "/good", "/incognito", "Where?")
    assert result.out.endswith("you live in Lisbon.\n0 greetings; you live in nowhere.\n")
    assert "still reads your memory" in result.err
    assert "nothing to judge" in result.err
    assert [each["query"] for each in episodes(command)] == ["Where?"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Who fails?", "no such thing"),
        ("/fly", "no command /fly"),
        ("/fix", "/fix TEXT"),
        ("/why", "no answer yet"),
        ("/good", "no answer yet"),
        ("/good #1", "has 0 remembered answers"),
        ("/fix #1", "/fix TEXT"),
        ("/bad 0123456789abcdef", "no episode '0123456789abcdef'"),
        ("bad \udcff", "not valid UTF-8"),
        ("bad \x07", "control character"),
        ("x" * 40_000, "at most 32,000"),
    ],
)
def test_what_goes_wrong_is_one_line_and_the_chat_goes_on(line, said, command: Command) -> None:
    result = talk(command, line, "Hello.")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out.endswith("1 greetings; you live in nowhere.\n")


def test_help_lists_every_command(command: Command) -> None:
    shown = talk(command, "/help").out
    for name, each in CHAT_COMMANDS.items():
        assert re.search(rf"^/{name}\b.*{re.escape(each.help)}$", shown, re.MULTILINE)


@pytest.fixture
def terminal(command: Command):
    terminal = Terminal("chat", "--user", "ann")
    yield terminal
    terminal.kill()


def test_on_a_terminal(command: Command, terminal: Terminal) -> None:
    terminal.wait_for("scripted at 127.0.0.1 answers ann. Type /help for the commands")
    terminal.type_at_prompt("Think for ever.\r")
    terminal.wait_for("Well")
    terminal.type("\x03")
    terminal.wait_for("Stopped")
    terminal.type_at_prompt("My home\\\ris\x1b\rLisbon.\r")
    terminal.wait_for("you live in Lisbon.")
    terminal.wait_for("episode ")
    terminal.type_at_prompt("/hel")
    terminal.wait_for("show this list")
    terminal.type("\t\r")
    terminal.wait_for("Tab completes a command.")
    terminal.type_at_prompt("/align\r")
    terminal.wait_for("Learning from your feedback")
    terminal.wait_for("0 labelled episodes are too few to learn from")
    terminal.type_at_prompt("half a thought\x03")
    terminal.type_at_prompt("\x1b[A\x1b[A\x03")
    terminal.type_at_prompt("\x04")
    terminal.wait_for("To continue this conversation later: --thread ")
    assert terminal.end() == 0
    assert [each["query"] for each in episodes(command)] == ["My home\nis\nLisbon."]


@pytest.mark.parametrize("enter", ["", "\r"])
def test_what_is_typed_while_it_thinks_waits_for_the_prompt(
    enter: str, command: Command, terminal: Terminal
) -> None:
    TYPED_AHEAD.clear()
    terminal.type_at_prompt("Wait.\r")
    terminal.wait_for("Thinking … 1 s")
    terminal.type(f"My home is Lisbon.{enter}")
    TYPED_AHEAD.set()
    terminal.wait_for("you live in nowhere.")
    assert "My home" not in terminal.passed, "nothing is written over the spinner"
    if not enter:
        terminal.wait_for("My home is Lisbon.")
        terminal.type("\r")
    terminal.wait_for("you live in Lisbon.")
    terminal.type_at_prompt("\x04")
    assert terminal.end() == 0
    assert [each["query"] for each in episodes(command)] == ["My home is Lisbon.", "Wait."]
