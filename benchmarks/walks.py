"""Users who want the same four preferences followed, which their personas do not know yet."""

import random
import sys
from collections.abc import Iterator
from datetime import timedelta

from endpoint import REPOSITORY
from world import BEGIN, sentence

from personaagent.core.records import Episode

sys.path.insert(0, str(REPOSITORY))
from tests.support.alignment import PREFERENCES, answer_to


def walks(user: str, count: int) -> Iterator[Episode]:
    """So many corrected answers about invented walks, the same ones each time."""
    chance = random.Random(user)
    for number in range(count):
        query = f"Tell me about {sentence(chance, 6)}?"
        yield Episode(
            id=f"e{number}",
            user_id=user,
            query=query,
            response=answer_to(query, []),
            ground_truth=answer_to(query, [*PREFERENCES]),
            created_at=BEGIN + timedelta(minutes=number),
        )
