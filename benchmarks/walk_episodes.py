"""Episodes of users who share four preferences that their personas do not know yet."""

import random
import sys
from collections.abc import Iterator
from datetime import timedelta

from filled_home import FIRST_EPISODE_AT, random_sentence
from instant_endpoint import REPOSITORY

from personaagent.core.records import Episode

sys.path.insert(0, str(REPOSITORY))
from tests.support.alignment import PREFERENCES, answer_to

PREFERRED = frozenset(word for rule in PREFERENCES for word in rule.lower().strip(".").split())


def walk_episodes(user: str, count: int) -> Iterator[Episode]:
    """``count`` corrected answers about invented walks, the same ones each time."""
    rng = random.Random(user)
    for number in range(count):
        query = f"Tell me about {_place(rng)}?"
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=query,
            response=answer_to(query, []),
            ground_truth=answer_to(query, [*PREFERENCES]),
            created_at=FIRST_EPISODE_AT + timedelta(minutes=number),
        )


def _place(rng: random.Random) -> str:
    """Words of no preference: a rule that repeats what stands in an answer is refused."""
    place = random_sentence(rng, 6)
    while not PREFERRED.isdisjoint(place.lower().split()):
        place = random_sentence(rng, 6)
    return place
