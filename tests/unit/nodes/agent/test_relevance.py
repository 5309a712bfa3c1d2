from collections.abc import Sequence
from typing import Any

import pytest

from personaagent.core.errors import ModelUnavailable
from personaagent.core.records import Episode, Profile, Statement
from personaagent.memory.text_vectors import TextVectors
from personaagent.nodes.agent.always_shown import always_shown
from personaagent.nodes.agent.relevance import relevant_episodes, relevant_profile
from tests.support.embedder import BagEmbedder

GARDEN = "The user keeps tomatoes and basil in a garden behind the house."
CELLO = "The user plays the cello in an orchestra."
QUESTION = "How do I water the tomatoes and basil in a garden?"


class Down(BagEmbedder):
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        raise ModelUnavailable("down")


def profile(*texts: str) -> Profile:
    return Profile(summary=[Statement(id=f"s{n}", text=text) for n, text in enumerate(texts)])


async def shown(summary: Profile, *questions: str) -> list[str]:
    relevant = await relevant_profile(summary, questions, TextVectors(BagEmbedder()))
    return [each.text for each in relevant.summary]


async def test_what_has_nothing_to_do_with_the_question_is_left_out() -> None:
    assert await shown(profile(GARDEN, CELLO), QUESTION) == [GARDEN]


async def test_a_follow_up_keeps_what_the_question_before_it_was_about() -> None:
    assert GARDEN in await shown(profile(GARDEN, CELLO), QUESTION, "And when is the best month?")


async def test_a_statement_stays_that_is_about_the_same_as_one_that_bears_on_the_question() -> None:
    album = "The user's latest album is called Hakone Midnight, a latest album."
    home = "The user lives in Hakone near Midnight hill, called Hakone."
    question = "Write a text about my latest album, called what it is."
    alone = await shown(profile(home), question)
    assert (home in alone, home in await shown(profile(album, home), question)) == (False, True)


@pytest.mark.parametrize(
    "question",
    [
        "What do you remember about me?",
        "Who am I?",
        "Thanks!",
        "Wie giesse ich Tomaten und Basilikum richtig?",
        "庭のトマトにはどう水をやればいいですか?",
    ],
)
async def test_everything_stays_where_the_question_cannot_be_compared(question: str) -> None:
    assert await shown(profile(GARDEN, CELLO), question) == [GARDEN, CELLO]


async def test_a_statement_in_another_language_stays() -> None:
    german = "Die Nutzerin spielt Cello."
    assert german in await shown(profile(GARDEN, german), QUESTION)


async def test_locked_statements_stay() -> None:
    locked = Profile(summary=[Statement(id="s1", text=CELLO, locked=True)])
    assert await shown(locked, QUESTION) == [CELLO]


@pytest.mark.parametrize(
    "text",
    [
        "The user's name is Mara.",
        "The user speaks Dutch.",
        "The user wants short answers.",
        "The user prefers bullet points.",
        "The user likes replies in German.",
        "The user thinks in metric units.",
        "The user is colour-blind.",
        "The user uses a screen reader.",
        "The user has a severe peanut allergy.",
        "The user's son has coeliac disease.",
        "The user is a vegetarian.",
        "The user takes medication for the heart.",
        "Never suggest alcohol.",
        "Der Nutzer bevorzugt kurze Antworten.",
    ],
)
async def test_who_the_user_is_how_to_answer_and_what_could_harm_stays(text: str) -> None:
    assert await shown(profile(text, CELLO), QUESTION) == [text]


@pytest.mark.parametrize("text", [CELLO, GARDEN, "The user drives a red car."])
def test_tastes_and_habits_are_compared(text: str) -> None:
    assert not always_shown(Statement(text=text))


async def test_statements_are_embedded_once_however_many_turns() -> None:
    embedder = BagEmbedder()
    vectors = TextVectors(embedder)
    await relevant_profile(profile(GARDEN, CELLO), [QUESTION], vectors)
    embedder.texts.clear()
    await relevant_profile(profile(GARDEN, CELLO), [QUESTION + " Again."], vectors)
    assert embedder.texts == [QUESTION + " Again."]


async def test_the_cache_is_bounded() -> None:
    embedder = BagEmbedder()
    vectors = TextVectors(embedder, most_texts=2)
    assert (await vectors.of(["a b", "c d", "e f"])).shape[0] == 3
    embedder.texts.clear()
    await vectors.of(["a b", "e f"])
    assert embedder.texts == ["a b"]


async def test_an_embedding_model_that_is_down_says_so() -> None:
    with pytest.raises(ModelUnavailable):
        await relevant_profile(profile(GARDEN), [QUESTION], TextVectors(Down()))


def episode(text: str, **fields: Any) -> Episode:
    return Episode(id=text[:8] + text[-8:], user_id="mara", query=text, response="", **fields)


ABOUT_GARDEN = episode("I keep tomatoes and basil in a garden.")
ABOUT_CELLO = episode("I play my cello on Thursdays.")


async def relevant(*episodes: Episode) -> list[Episode]:
    return await relevant_episodes(episodes, [QUESTION], TextVectors(BagEmbedder()))


async def test_an_episode_that_has_nothing_to_do_with_the_question_is_left_out() -> None:
    assert await relevant(ABOUT_CELLO, ABOUT_GARDEN) == [ABOUT_GARDEN]


async def test_a_labelled_episode_stays_for_it_shows_what_the_user_wants() -> None:
    labelled = ABOUT_CELLO.model_copy(update={"ground_truth": "Yes.", "signal": "edit"})
    assert await relevant(labelled, ABOUT_GARDEN) == [labelled, ABOUT_GARDEN]


async def test_an_episode_that_shares_a_word_with_the_question_stays() -> None:
    shares = episode("My sister plays music on Thursdays, never near my tomatoes at all, she says.")
    assert await relevant(shares) == [shares]


async def test_the_turns_of_one_conversation_stay_together() -> None:
    same = {"metadata": {"thread_id": "t1"}}
    turns = [each.model_copy(update=same) for each in (ABOUT_GARDEN, ABOUT_CELLO)]
    assert await relevant(*turns) == turns
