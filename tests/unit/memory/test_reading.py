"""Reading on in a long episode."""

import re

import pytest

from personaagent.memory.passages import with_nearest
from personaagent.memory.reading import parse_place, place_after_nearest, read_on
from tests.support.memories import episode

LONG = episode(
    "e@1",
    "Plan my trip.",
    response="".join(f"Day {n}. " for n in range(300)),
    signal="accept",
)


def test_reading_on_from_place_to_place_reaches_every_word() -> None:
    place, read = place_after_nearest(with_nearest(LONG, ("response", 0, 1), [])), LONG.response[:1]
    while place:
        id, offset = parse_place(place)
        assert id == LONG.id
        fenced = read_on(LONG, offset, 500)
        following = re.search('rest="(.*?)"', fenced)
        place = following[1] if following else ""
        read += fenced.partition("\n")[2].rpartition("\n")[0]
    assert read == LONG.response
    assert "Day" not in read_on(LONG, 0, 500), "the answer is read only from a place in it"


def test_the_first_place_is_behind_the_passage_that_is_shown() -> None:
    recalled = with_nearest(LONG, ("response", 0, len("Day 0. ")), [])
    _, offset = parse_place(place_after_nearest(recalled))
    assert read_on(LONG, offset, 6).splitlines()[1] == "Day 1."
    assert "(nothing more)" in read_on(LONG, 99_999, 6)


@pytest.mark.parametrize("place", ["", "e1", "e1@", "e1@x"])
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ValueError):
        parse_place(place)
