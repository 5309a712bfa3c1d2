"""Which messages only tell something: a few languages, and never a request."""

import pytest

from personaagent.nodes.agent.telling import only_tells


@pytest.mark.parametrize(
    "text",
    [
        "My sister got a new job at the harbour.",
        "I live in Malmo.",
        "We moved to Lisbon in August. Our flat is small.",
        "I’m allergic to peanuts!",
        "By the way, my dog is called Rex.",
        "Yesterday I started at a bakery.",
        "Remember that my car is blue.",
        "Ich wohne jetzt in Berlin.",
        "Vivo en Madrid desde agosto.",
        "J'habite à Lyon.",
        "Moro em Lisboa.",
        "Abito a Torino.",
        "Ik woon in Utrecht.",
        "Jag bor i Malmö.",
    ],
)
def test_it_only_tells(text: str) -> None:
    assert only_tells(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where do I live?",
        "Where do I live",
        "Write a poem about my sister.",
        "Tell me about Lisbon.",
        "I want a poem about the sea.",
        "I need a recipe for bread.",
        "I am looking for a hotel in Rome.",
        "I would like to know where I live.",
        "I wonder who my doctor is.",
        "My code crashes at start.",
        "I feel terrible today.",
        "I don't know my own number.",
        "We should go out tonight.",
        "I'm planning a trip to Japan.",
        "I live in Lisbon, and you can suggest a bakery.",
        "My text: The sea is wide.",
        "my sister",
        "I like rye. I like tea. I like jam.",
        "I wrote this.\nThe sea is wide.",
        "我住在哪里？",
        "Ich suche ein Hotel in Rom.",
        "Quiero un poema.",
        "Je cherche un hôtel.",
        "The sea is wide.",
    ],
)
def test_it_may_ask(text: str) -> None:
    assert not only_tells(text)
