"""Memory follows the branch of a conversation that stands, over SQLite."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from personaagent.core.errors import DataError, ModelError
from personaagent.memory.episodes import Episodes
from tests.support.branching import Branching, branching
from tests.support.scripted_model import Prompt, Reply

MALMO, LUND = "I live in Malmo, near the harbour.", "I live in Lund, near the harbour."
WHERE = "In which town near the harbour do I live?"


def answers(prompt: Prompt) -> Reply:
    towns = [town for town in ("Malmo", "Lund") if town in prompt.system]
    return f"{' and '.join(towns)}." if prompt.last == WHERE else "Noted."


@pytest.fixture
async def anna(tmp_path: Path) -> AsyncIterator[Branching]:
    async with branching(tmp_path, answers) as agent:
        yield agent


def reply(state: dict) -> str:
    return str(state["messages"][-1].text)


async def test_an_edited_message_leaves_the_first_version_out_of_memory(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    await anna.ask(LUND, await anna.at("Hello.", "Noted."))
    assert await anna.standing() == ["Hello.", LUND]
    assert await anna.left() == [MALMO]
    assert reply(await anna.ask(WHERE, "another")) == "Lund."


async def test_the_turn_that_edits_does_not_recall_the_first_version(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    state = await anna.ask(WHERE, await anna.at("Hello.", "Noted."))
    assert reply(state) == "."
    assert [each["query"] for each in state["recalled"]] == ["Hello."]


async def test_the_first_message_of_a_conversation_can_be_edited(anna: Branching) -> None:
    await anna.ask(MALMO)
    await anna.ask("What else?")
    await anna.ask("Something quite different.", await anna.at(next="__start__"))
    assert await anna.standing() == ["Something quite different."]
    assert await anna.left() == [MALMO, "What else?"]


async def test_the_branch_to_which_the_user_returns_stands_again(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    malmo = await anna.at("Hello.", "Noted.", MALMO, "Noted.")
    await anna.ask(LUND, await anna.at("Hello.", "Noted."))
    lund = await anna.at("Hello.", "Noted.", LUND, "Noted.")
    for town, end in (("Malmo.", malmo), ("Lund.", lund), ("Malmo.", malmo)):
        assert reply(await anna.ask(WHERE, end)) == town, "in the very turn that returns"
        assert reply(await anna.ask(WHERE, "another", incognito=True)) == town
    assert Counter(await anna.standing()) == Counter(["Hello.", MALMO, WHERE])


async def test_a_branch_grows_while_it_stands(anna: Branching) -> None:
    await anna.ask(MALMO)
    for number in range(3):
        await anna.ask(f"More, part {number}.")
    end = await anna.at(MALMO, "Noted.")
    await anna.ask("Other, part 0.", end)
    await anna.ask("Other, part 1.")
    assert await anna.standing() == [MALMO, "Other, part 0.", "Other, part 1."]


@pytest.mark.parametrize("node", ["recall", "question", "inject_persona", "react"])
async def test_an_answer_that_is_made_anew_takes_the_place_of_the_first(
    tmp_path: Path, node: str
) -> None:
    number = count(1)
    async with branching(tmp_path, lambda prompt: f"Answer {next(number)}.") as anna:
        again = first = await anna.ask(MALMO)
        await anna.memory.episodes.give_feedback(first["episode_id"], "reject")
        for _ in range(2):
            again = await anna.ask(None, await anna.at(MALMO, next=node))
        first_again, *others = await anna.episodes()
        assert (first_again.signal, first_again.response) == ("reject", "Answer 1.")
        assert [(each.response, each.discarded) for each in others] == [
            ("Answer 2.", True),
            ("Answer 3.", False),
        ]
        assert again["episode_id"] == others[-1].id
        await anna.ask("And then?", await anna.at(MALMO, "Answer 2."))
        standing = [each.response for each in await anna.episodes() if not each.discarded]
        assert standing == ["Answer 2.", "Answer 4."]


async def test_the_same_answer_made_anew_counts_once(anna: Branching) -> None:
    await anna.ask(MALMO)
    await anna.ask(None, await anna.at(MALMO, next="recall"))
    await anna.ask("Hello.")
    assert await anna.standing() == [MALMO, "Hello."]


async def test_messages_can_be_taken_out_instead(anna: Branching) -> None:
    hello = (await anna.ask("Hello."))["messages"]
    told = (await anna.ask(MALMO))["messages"]
    out = [RemoveMessage(id=str(each.id)) for each in told[2:]]
    state = await anna.ask([*out, HumanMessage(LUND)])
    assert await anna.standing() == ["Hello.", LUND]
    same_id = HumanMessage(MALMO, id=state["messages"][2].id)
    await anna.ask([RemoveMessage(id=str(state["messages"][3].id)), same_id])
    assert await anna.standing() == ["Hello.", MALMO]
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    await anna.ask([everything, *hello, HumanMessage(WHERE)])
    assert await anna.standing() == ["Hello.", WHERE]


async def test_a_client_may_send_all_messages_anew(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    sent = [HumanMessage("Hello."), AIMessage("Noted.")]
    await anna.ask([everything, *sent, HumanMessage(MALMO), AIMessage("Noted."), HumanMessage("!")])
    assert await anna.standing() == ["Hello.", MALMO, "!"]
    await anna.ask([everything, *sent, HumanMessage(LUND)])
    assert await anna.standing() == ["Hello.", LUND]


async def test_what_is_cut_from_the_beginning_stands(anna: Branching) -> None:
    states = [await anna.ask(f"Part {number}.") for number in range(4)]
    out = [RemoveMessage(id=str(each.id)) for each in states[-1]["messages"][:4]]
    await anna.ask([*out, HumanMessage("Part 4.")])
    await anna.ask("Part 5.")
    assert await anna.standing() == [f"Part {number}." for number in range(6)]


async def test_an_emptied_conversation_was_ended_and_not_edited(anna: Branching) -> None:
    await anna.ask(MALMO)
    await anna.ask("Hello.")
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    await anna.ask([everything, HumanMessage("What is a fjord made of?")])
    await anna.ask([everything, HumanMessage("Why do cats purr at night?")])
    assert await anna.left() == []
    await anna.ask([everything, HumanMessage("Why do dogs purr at night?")])
    assert await anna.left() == ["Why do cats purr at night?"]
    await anna.ask([everything, HumanMessage(LUND)])
    assert await anna.standing() == [LUND], "an edit of the very first message"


async def test_a_message_can_be_edited_in_the_state_of_a_checkpoint(anna: Branching) -> None:
    told = (await anna.ask(MALMO))["messages"]
    edited = {"messages": [HumanMessage(LUND, id=told[0].id)]}
    before = await anna.at(MALMO, next="recall")
    await anna.ask(None, await anna.graph.aupdate_state(before, edited, as_node="__start__"))
    assert await anna.standing() == [LUND]
    at_answer = await anna.at(LUND, "Noted.", next="decide")
    [answer] = [each for each in (await anna.state(at_answer))["messages"] if each.id != told[0].id]
    other = {"messages": [AIMessage("Lund, then.", id=answer.id)]}
    await anna.ask(None, await anna.graph.aupdate_state(at_answer, other, as_node="react"))
    stands = [each.response for each in await anna.episodes() if not each.discarded]
    assert stands == ["Lund, then."]


async def test_an_edited_answer_keeps_what_the_user_said(anna: Branching) -> None:
    state = await anna.ask(MALMO)
    edited = AIMessage("Good to know.", id=state["messages"][-1].id)
    await anna.graph.aupdate_state({"configurable": {"thread_id": "t1"}}, {"messages": [edited]})
    await anna.ask("Hello.")
    assert await anna.standing() == [MALMO, "Hello."]


async def test_an_episode_that_the_user_keeps_stands_for_good(anna: Branching) -> None:
    await anna.ask("Hello.")
    told = await anna.ask(MALMO)
    await anna.ask(LUND, await anna.at("Hello.", "Noted."))
    assert not (await anna.memory.keep(told["episode_id"])).discarded
    await anna.ask("Go on.")
    assert await anna.standing() == ["Hello.", MALMO, LUND, "Go on."]


async def test_what_fails_discards_nothing(tmp_path: Path) -> None:
    def fails_on_lund(prompt: Prompt) -> Reply:
        return ValueError("no") if LUND in prompt.last else "Noted."

    async with branching(tmp_path, fails_on_lund) as anna:
        await anna.ask("Hello.")
        await anna.ask(MALMO)
        with pytest.raises(ModelError):
            await anna.ask(LUND, await anna.at("Hello.", "Noted."))
        assert await anna.standing() == ["Hello.", MALMO]


async def test_what_cannot_be_marked_now_is_told_and_marked_by_the_next_turn(
    anna: Branching, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object) -> None:
        raise DataError("the lock is taken")

    await anna.ask("Hello.")
    await anna.ask(MALMO)
    with monkeypatch.context() as patch:
        patch.setattr(Episodes, "discard", locked)
        state = await anna.ask(LUND, await anna.at("Hello.", "Noted."))
    assert "the lock is taken" in state["warnings"][0]
    assert await anna.standing() == ["Hello.", MALMO, LUND]
    await anna.ask("Go on.")
    assert await anna.standing() == ["Hello.", LUND, "Go on."]


async def test_a_message_may_be_edited_to_a_picture_alone(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    await anna.ask([HumanMessage([picture])], await anna.at("Hello.", "Noted."))
    await anna.ask("Go on.")
    assert await anna.standing() == ["Hello.", "Go on."]


async def test_an_incognito_turn_discards_nothing(anna: Branching) -> None:
    await anna.ask("Hello.")
    await anna.ask(MALMO)
    await anna.ask(LUND, await anna.at("Hello.", "Noted."), incognito=True)
    assert await anna.standing() == ["Hello.", MALMO]


async def test_messages_at_the_same_time_all_stand(anna: Branching) -> None:
    await anna.ask("Hello.")
    end = await anna.at("Hello.", "Noted.")
    await asyncio.gather(anna.ask(MALMO, end), anna.ask(LUND, end))
    await anna.ask("Go on.")
    assert sorted(await anna.standing()) == sorted(["Hello.", MALMO, LUND, "Go on."])


async def test_a_conversation_without_its_checkpoints_begins_anew(anna: Branching) -> None:
    await anna.ask(MALMO)
    await anna.files.saver.adelete_thread("t1")
    await anna.ask("Hello.")
    assert await anna.standing() == [MALMO, "Hello."]
