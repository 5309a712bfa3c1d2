"""What is recalled of histories that once failed, with the local embedding model."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.memory.earlier_answers import as_shown_for
from personaagent.memory.format import format_episodes
from personaagent.memory.memory import Memory
from personaagent.memory.user import UserMemory
from personaagent.models.local_embeddings import LocalEmbedder
from tests.support.memories import index_in_memory

CASES = Path(__file__).parents[2] / "fixtures" / "recall"
HOME = load_settings().home
Case = dict[str, Any]


@pytest.fixture(scope="module")
def local() -> LocalEmbedder:
    return LocalEmbedder(HOME)


def case(name: str) -> Case:
    found: Case = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return found


async def remembered(local: LocalEmbedder, history: list[dict[str, Any]]) -> UserMemory:
    """The memory of a user with this history."""
    memory = Memory(load_settings(recall_timeout=60), local, index_in_memory())
    anna = memory.of(InMemoryStore(), "anna")
    await anna.episodes.add([Episode(user_id="anna", **each) for each in history])
    await anna.indexer.refresh(len(history))
    return anna


async def hits(local: LocalEmbedder, name: str, k: int = 0) -> list[bool]:
    """For each question of the case, whether what it wants is among the first ``k`` (or as many as
    the case says)."""
    found = case(name)
    anna = await remembered(local, found["history"])
    return [
        set(question["wanted"])
        <= {each.id for each in (await anna.recall(question["query"], 8)).episodes[: k or within]}
        for question in found["questions"]
        for within in [question["within"]]
    ]


@pytest.mark.parametrize("name", ["fusion_friends", "contradiction_home", "contradiction_job"])
async def test_all_that_the_case_wants_is_recalled(local: LocalEmbedder, name: str) -> None:
    assert all(await hits(local, name))


@pytest.mark.parametrize("language", ["zh", "ja"])
async def test_no_language_is_far_behind_english(local: LocalEmbedder, language: str) -> None:
    english = sum(await hits(local, "recall_en", 1))
    assert english == 16
    assert sum(await hits(local, f"recall_{language}", 1)) >= english - 2


async def test_the_middle_of_a_long_text_reaches_the_prompt(local: LocalEmbedder) -> None:
    found = case("long_text")
    anna = await remembered(local, found["history"])
    for question in found["questions"]:
        recalled = (await anna.recall(question["query"], 8)).episodes
        text, _ = format_episodes(as_shown_for(question["query"], recalled), 1000)
        assert question["wanted_text"] in text


TEMPLATES = {
    "recipe": (
        "The recipe of the week is {}.",
        "rice toast porridge salad stew pie omelette risotto goulash tortilla couscous schnitzel "
        "kebab gazpacho borscht pizza noodles",
        ["pancakes, with maple syrup", "curry, with chickpeas and coconut milk"],
        ["Which recipe of the week was a sweet breakfast?", "Which recipe of the week is Indian?"],
    ),
    "book": (
        "I read the book '{}' in spring.",
        "Rome Paris Turin Oslo Bonn Graz Lyon Bern Ghent Riga Porto Lille Genoa Leeds Brno Pisa",
        ["Jaws', about a shark, and 'Orca", "Ulysses', about a day in Dublin, and 'Eire"],
        ["Which book that I read has a dangerous fish?", "Which book I read is set in Ireland?"],
    ),
    "meeting": (
        "Meeting notes: the team talked about {}.",
        "Anna Ben Cleo Dan Eve Finn Gus Hana Ivo Jan Kim Lea Max Nia Oskar Pia Quin Rosa Sam Tess",
        ["the new pricing of the app", "the broken heating of the office"],
        [
            "In which meeting did the team talk about how much customers pay?",
            "In which meeting did the team talk about the cold rooms?",
        ],
    ),
    "plant": (
        "My plant {} is green.",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        ["in the kitchen is a basil, I use it for pesto, it", "in the bath likes damp air, it"],
        ["Which plant of mine is a herb for cooking?", "Which plant of mine wants humidity?"],
    ),
}


@pytest.mark.parametrize("kind", TEMPLATES)
async def test_dense_recall_is_the_floor_where_entries_share_a_template(
    local: LocalEmbedder, kind: str
) -> None:
    template, others, right, questions = TEMPLATES[kind]
    fillings = [*right, *others.split()]
    anna = await remembered(
        local,
        [
            {"id": f"e{n}", "query": template.format(each), "response": "Noted."}
            for n, each in enumerate(fillings)
        ],
    )
    dense = replace(anna.recaller, mode="dense")
    for number, question in enumerate(questions):
        ranks = [
            [each.id for each in (await recall(question, 20)).episodes].index(f"e{number}")
            for recall in (anna.recaller.recall, dense.recall)
        ]
        assert ranks[0] <= ranks[1]
