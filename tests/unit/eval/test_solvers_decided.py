"""The solvers that weigh the answer as the agent does."""

from pathlib import Path

from tests.support.alignment import Scripted
from tests.support.film_lovers import GOLD
from tests.support.solvers import films, open_bench

SPACE = films(
    "anna",
    *[(f"robot {n} in space", "sci-fi") for n in range(4)],
    *[(f"cat {n} on a sofa", "comedy") for n in range(4)],
    about="a robot lost in space",
    gold=GOLD,
)


def bare(tag: str) -> Scripted:
    """Answers with the tag alone."""
    return Scripted(actor=lambda prompt: tag)


async def test_history_decides_by_the_labels_alone(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy")) as bench:
        output = await bench.answer("history", SPACE)
        unseen = await bench.answer("history", SPACE.model_copy(update={"history": []}))
        assert bench.prompts == []
    assert output.text == "sci-fi"
    assert output.decision is not None
    assert output.decision.applied
    assert "model" not in {source.name for source in output.decision.sources}
    assert output.decision.confidence > 0.5
    assert (unseen.text, unseen.decision) == ("", None), "nothing is known, so nothing is answered"


async def test_fused_weighs_one_answer_to_the_prompt_of_rag(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy"), top_k=2) as bench:
        output = await bench.answer("fused", SPACE)
        [prompt] = bench.prompts
        await bench.answer("rag", SPACE)
        assert prompt.system == bench.prompts[-1].system
    assert (prompt.tools, len(output.recalled)) == ([], 2)
    assert output.usage.by_role["actor"].llm_calls == 1
    assert output.decision is not None
    sources = {source.name: source.probabilities for source in output.decision.sources}
    assert sources["history"]["sci-fi"] > sources["history"]["comedy"]
    assert sources["model"]["comedy"] > sources["model"]["sci-fi"]
    assert output.text == output.decision.answer


async def test_react_weighs_nothing(tmp_path: Path) -> None:
    async with open_bench(tmp_path, bare("comedy")) as bench:
        output = await bench.answer("react", SPACE)
    assert (output.text, output.decision) == ("comedy", None)
