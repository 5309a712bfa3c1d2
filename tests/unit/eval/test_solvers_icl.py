"""Examples from other users: who is shown, and how they are drawn."""

from pathlib import Path

import pytest

from personaagent.core.errors import ConfigurationError
from personaagent.core.records import Episode
from personaagent.eval.samples import Sample
from personaagent.eval.solvers.icl import draw_examples
from tests.support.film_lovers import ANNA, OTHERS, reader
from tests.support.solvers import ASK, TASK, films, open_bench


async def test_icl_shows_others_and_never_the_user(tmp_path: Path) -> None:
    same = films("twin", ("the knight of a dark castle in space", "spoilt"), about="x")
    examples = {TASK: draw_examples([*OTHERS, same, ANNA], seed=1)}
    assert "anna" in {each.user_id for each in examples[TASK]}
    async with open_bench(tmp_path, reader, examples=examples, top_k=20) as bench:
        output = await bench.answer("icl", ANNA)
        assert sorted(str(output.text).split(", ")) == sorted(f"tag{n}" for n in range(9))
        assert output.recalled == []
        assert [message["role"] for message in output.messages] == ["system", "user"]
    async with open_bench(tmp_path, reader, examples=examples, top_k=3, seed=0) as bench:
        first = (await bench.answer("icl", ANNA)).text
        assert first == (await bench.answer("icl", ANNA)).text
    found = set()
    for seed in range(5):
        async with open_bench(tmp_path, reader, examples=examples, top_k=3, seed=seed) as bench:
            found.add((await bench.answer("icl", ANNA)).text)
    assert len(found) > 1, "the seed decides"
    async with open_bench(tmp_path, reader) as bench:
        with pytest.raises(ConfigurationError, match="draw_examples"):
            await bench.answer("icl", ANNA)


def test_examples_are_a_draw_of_bounded_size() -> None:
    samples = [films(f"u{n}", ("a", f"{n}"), ("b", f"{n}"), about="x") for n in range(200)]
    drawn = draw_examples(iter(samples), 0, most=20)
    assert len({each.user_id for each in drawn}) == len(drawn) == 20
    assert {each.query for each in drawn} == {f"{ASK}a?", f"{ASK}b?"}
    assert any(int(each.ground_truth or 0) >= 100 for each in drawn), "late ones have their chance"
    assert drawn == draw_examples(iter(samples), 0, most=20) != draw_examples(samples, 1, most=20)
    unlabelled = Episode(user_id="b", query="hello", response="hi")
    mixed = Sample(
        id="c", task=TASK, user_id="c", history=[unlabelled, *samples[0].history], queries=[]
    )
    assert [each.labelled for seed in range(9) for each in draw_examples([mixed], seed)] == [
        True
    ] * 9
