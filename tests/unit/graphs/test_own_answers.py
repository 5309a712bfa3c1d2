"""The agent does not believe itself: whole turns with a model that repeats what it reads."""

import re
from pathlib import Path

from tests.support.agent import Agent, observations, reply
from tests.support.scripted_model import Prompt, Reply, call

MISTAKE = "It is a fine phone, designed by Google."


def parrot(prompt: Prompt) -> Reply:
    """Repeats an answer that stands in its memories, else what the user said; knows nothing else."""
    memories = prompt.system.split("\n<memories>")[-1] + "".join(prompt.observations)
    told = re.findall(r"(?:answered[^:]*|right answer): (.+)", memories)
    said = re.findall(r"the user: I bought (.+)", memories)
    if prompt.last.startswith("I bought"):
        return MISTAKE
    return told[-1] if told else f"You have {said[-1]}" if said else "I do not know."


async def test_a_mistake_about_the_phone_is_not_repeated(tmp_path: Path) -> None:
    anna = Agent(tmp_path, parrot)
    assert reply(await anna.ask("I bought a Fairphone 6 today.", "t1")) == MISTAKE
    assert reply(await anna.ask("Which phone do I have?", "t2")) == "You have a Fairphone 6 today."
    assert "Google" not in anna.prompts[-1].system


async def test_after_a_correction_the_correction_is_what_comes_back(tmp_path: Path) -> None:
    anna = Agent(tmp_path, parrot)
    wrong = await anna.ask("I bought a Fairphone 6 today.", "t1")
    asked = await anna.ask("Which phone do I have?", "t2")
    give_feedback = anna.memory().episodes.give_feedback
    await give_feedback(asked["episode_id"], "edit", "A Fairphone 6.")
    for thread in ("t3", "t4"):
        assert reply(await anna.ask("Which phone do I have?", thread)) == "A Fairphone 6."
    await give_feedback(wrong["episode_id"], "accept")
    assert MISTAKE in (await anna.ask("Which phone did I buy?", "t5"))["system_prompt"], (
        "an answer that the user accepted is theirs"
    )


async def test_what_the_agent_said_is_shown_where_it_is_asked_for(tmp_path: Path) -> None:
    anna = Agent(tmp_path, parrot)
    await anna.ask("I bought a Fairphone 6 today.", "t1")
    state = await anna.ask("What did you tell me when I bought a Fairphone 6 today?", "t2")
    assert reply(state) == MISTAKE
    assert f"you answered, unconfirmed: {MISTAKE}" in state["system_prompt"]


async def test_the_tool_shows_answers_if_the_model_asks_for_them(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> Reply:
        if prompt.last.startswith("I bought a Fairphone 6 today."):
            return MISTAKE
        answers = {"answers": True} if "back then" in prompt.messages[-1].text else {}
        calls = [call("recall_episodes", query="bought a Fairphone", k=1, **answers)]
        return prompt.observations[0] if prompt.observations else calls

    anna = Agent(tmp_path, answer, top_k=0)
    await anna.ask("I bought a Fairphone 6 today.", "t1")
    for question, shown in (("Which phone?", False), ("Which phone was it back then?", True)):
        [observation] = observations(await anna.ask(question, question))
        assert "I bought a Fairphone 6" in observation.text
        assert (MISTAKE in observation.text) == shown


async def test_a_superseded_episode_says_so_and_stands_before_its_correction(
    tmp_path: Path,
) -> None:
    anna = Agent(tmp_path, parrot)
    question = "Which phone do I have?"
    first = await anna.ask(question, "t1")
    await anna.memory().episodes.give_feedback(first["episode_id"], "edit", "A Pixel.")
    second = await anna.ask(question, "t2")
    assert reply(second) == "A Pixel."
    await anna.memory().episodes.give_feedback(second["episode_id"], "edit", "A Fairphone 6.")
    state = await anna.ask(question, "t3")
    assert reply(state) == "A Fairphone 6."
    assert [each["id"] for each in state["recalled"]] == [
        second["episode_id"],
        first["episode_id"],
    ]
    day = state["recalled"][0]["created_at"][:10]
    assert f'<episode date="{day}" superseded="{day}">' in state["system_prompt"]
