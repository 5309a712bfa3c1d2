"""Reading on in a long episode."""

import re

import pytest

from personaagent.memory.passages import with_nearest
from personaagent.memory.reading import parse_place, place_after_nearest, read_on
from tests.support.memories import episode

LONG = episode("e@1", "Plan my trip.", response="".join(f"Day {n}. " for n in range(300)))


def test_reading_on_from_place_to_place_reaches_every_word() -> None:
    place, read = "e@1@0", ""
    while place:
        id, offset = parse_place(place)
        assert id == LONG.id
        fenced = read_on(LONG, offset, 500)
        following = re.search('rest="(.*?)"', fenced)
        place = following[1] if following else ""
        read += fenced.partition("\n")[2].rpartition("\n")[0]
    assert read == f"Plan my trip.\nanswered: {LONG.response}"


def test_the_first_place_is_behind_the_passage_that_is_shown() -> None:
    recalled = with_nearest(LONG, ("response", 0, len("Day 0. ")), [])
    _, offset = parse_place(place_after_nearest(recalled))
    assert read_on(LONG, offset, 6).splitlines()[1] == "Day 1."
    assert "(nothing more)" in read_on(LONG, 99_999, 6)


@pytest.mark.parametrize("place", ["", "e1", "e1@", "e1@x"])
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ValueError):
        parse_place(place)
