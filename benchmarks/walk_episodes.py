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


def walk_episodes(user: str, count: int) -> Iterator[Episode]:
    """``count`` corrected answers about invented walks, the same ones each time."""
    rng = random.Random(user)
    for number in range(count):
        query = f"Tell me about {random_sentence(rng, 6)}?"
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=query,
            response=answer_to(query, []),
            ground_truth=answer_to(query, [*PREFERENCES]),
            created_at=FIRST_EPISODE_AT + timedelta(minutes=number),
        )
