"""The environment: a sample leaves nothing behind, and each text is embedded once."""

import asyncio
import gc
import math
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from langgraph.pregel import Pregel
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import IndexUnavailable, ModelUnavailable
from personaagent.core.records import Episode
from personaagent.eval.solvers.caching_embedder import CachingEmbedder
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.solvers.membank import ForgettingCurve, recall_unforgotten
from personaagent.eval.solvers.registry import SOLVERS
from personaagent.memory.index.blocks import Block
from personaagent.memory.recall import RecallResult
from personaagent.memory.user import UserMemory
from tests.support.alignment import Scripted
from tests.support.embedder import BagEmbedder
from tests.support.memories import START
from tests.support.solvers import TASK, films, open_bench, summarising

SEEN = [(f"film {n} about {'cats' if n % 3 else 'dogs'}", f"tag{n % 2}") for n in range(6)]


def alive() -> dict[str, int]:
    """Count the objects that a sample is made of, or leaves in the index."""
    gc.collect()
    objects_by_type = Counter(map(type, gc.get_objects()))
    return {
        kind.__name__: sum(
            count for each, count in objects_by_type.items() if issubclass(each, kind)
        )
        for kind in (InMemoryStore, UserMemory, Pregel, Episode, Block)
    }


def left_on_disk(environment: EvalEnvironment) -> list[Path]:
    """The files on disk while no sample is prepared."""
    return [path for path in environment.settings.home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("solver", ["rag", "membank", "similar", "react", "persona"])
async def test_memory_does_not_grow_with_the_samples(tmp_path: Path, solver: str) -> None:
    async with open_bench(
        tmp_path, summarising(Scripted(actor=lambda prompt: "tag0")), align_rounds=1
    ) as bench:

        async def run(numbers: Sequence[int]) -> None:
            for number in numbers:
                await bench.answer(solver, films(f"user{number}", *SEEN, about="cats"))
                bench.prompts.clear()

        await run([0])
        after_one = alive()
        await run([1, 2, 3])
        assert alive() == after_one
        assert left_on_disk(bench.environment) == []
    assert not bench.environment.settings.home.exists()


async def test_a_failing_sample_leaves_nothing_either(tmp_path: Path) -> None:
    async with open_bench(tmp_path, lambda prompt: ModelUnavailable("Down.")) as bench:
        with pytest.raises(ModelUnavailable):
            await bench.answer("rag", films("anna", *SEEN, about="cats"))
        assert left_on_disk(bench.environment) == []


async def test_no_answer_without_recall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(memory: UserMemory, query: str, k: int) -> RecallResult:
        return RecallResult([], ["The index is down."])

    monkeypatch.setattr(UserMemory, "recall", down)
    async with open_bench(tmp_path, lambda prompt: "ok") as bench:
        for solver in ("rag", "membank", "similar", "persona-no-alignment"):
            with pytest.raises(IndexUnavailable, match="The index is down"):
                await bench.answer(solver, films("anna", *SEEN, about="cats"))


async def test_a_text_is_embedded_once_for_all_methods(tmp_path: Path) -> None:
    sample = films("anna", *SEEN, about="cats")
    async with open_bench(
        tmp_path, summarising(Scripted(actor=lambda prompt: "tag0")), align_rounds=1
    ) as bench:
        for solver in ("rag", "membank", "similar", "react", "persona", "persona-no-alignment"):
            await bench.answer(solver, sample)
        texts = bench.embedder.texts
        assert {each.query for each in sample.history} | {sample.queries[0].text} <= {*texts}
        assert sorted(texts) == sorted({*texts})


class SlowEmbedder(BagEmbedder):
    """Waits until it is let go; fails as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.failures = 0

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise ModelUnavailable("Down.")
        return await super().embed(texts)


async def test_embeddings_asked_for_at_once_are_made_once() -> None:
    slow = SlowEmbedder()
    kept = CachingEmbedder(slow)
    asked = [asyncio.create_task(kept.embed(texts)) for texts in (["a", "b", "a"], ["b", "c"])]
    gone = asyncio.create_task(kept.embed(["d"]))
    await asyncio.sleep(0)
    gone.cancel()
    late = asyncio.create_task(kept.embed(["d", "a"]))
    await asyncio.sleep(0)
    slow.go.set()
    [first, second] = await asyncio.gather(*asked)
    expected = await BagEmbedder().embed(["a", "b", "c", "d"])
    assert first == [pytest.approx(expected[place]) for place in (0, 1, 0)]
    assert second == [pytest.approx(expected[place]) for place in (1, 2)]
    assert await late == [pytest.approx(expected[place]) for place in (3, 0)]
    assert sorted(slow.texts) == ["a", "b", "c", "d"]


async def test_embeddings_that_failed_are_not_kept_and_those_that_are_have_a_limit() -> None:
    slow = SlowEmbedder()
    slow.failures = 1
    slow.go.set()
    kept = CachingEmbedder(slow, most_texts=2)
    with pytest.raises(ModelUnavailable):
        await kept.embed(["a", "b"])
    assert len(await kept.embed(["a", "b", "c"])) == 3
    await kept.embed(["c"])
    await kept.embed(["a"])
    assert slow.texts == ["a", "b", "c", "a"]


def test_the_forgetting_curve_by_hand() -> None:
    """Ten memories over ten days of the curve; luck says which R loses each."""
    memories = [
        Episode(
            id=f"m{n}", user_id="anna", query="q", response="", created_at=START + timedelta(days=n)
        )
        for n in range(11)
    ]
    curve = ForgettingCurve(memories, [0.0, 0.9, *[0.3] * 9])
    end = memories[-1].created_at
    assert curve.retention("m10", end) == 1
    assert curve.retention("m9", end) == pytest.approx(math.exp(-1))
    assert curve.retention("m0", end) == pytest.approx(math.exp(-10))
    assert curve.forgotten(end) == {f"m{n}" for n in range(1, 9)}, "exp(-2) < 0.3 < exp(-1)"
    curve.strengthen(["m5", "m6"], START + timedelta(days=8))
    assert curve.retention("m5", end) == pytest.approx(math.exp(-2 / 2))
    curve.strengthen(["m6"], START + timedelta(days=9))
    assert curve.retention("m6", end) == pytest.approx(math.exp(-1 / 3))
    assert curve.forgotten(end) == {f"m{n}" for n in range(1, 9)} - {"m5", "m6"}


@pytest.mark.parametrize("step", [timedelta(seconds=1), timedelta(days=100)])
async def test_what_is_recalled_again_and_again_is_kept(tmp_path: Path, step: timedelta) -> None:
    """Every third film is about dogs, and each brings the earlier ones of its kind to mind."""
    sample = films(
        "anna", *[(f"{n} {'dogs' if n % 3 else n * 'x'}", "t") for n in range(30)], about="dogs"
    )
    moved = [
        each.model_copy(update={"created_at": START + number * step})
        for number, each in enumerate(sample.history)
    ]
    sample = sample.model_copy(update={"history": moved})
    async with open_bench(tmp_path, summarising(lambda prompt: "ok"), top_k=3, seed=1) as bench:
        async with bench.environment.remember_sample(sample) as sample_memory:
            recall = await recall_unforgotten(sample, bench.environment, sample_memory)
            left = [each.id for each in await recall("dogs", 50)]
            assert left == [each.id for each in await recall("dogs", 50)], "asking changes nothing"
        assert 1 < len(left) < 30
        assert "film29" in left
        output = await bench.answer("membank", sample)
        assert set(output.recalled) <= set(left)
        again = SOLVERS["membank"].prepare_recall
        assert again is not None
        async with again(sample, bench.environment) as answerer:
            same = await answerer.answer(sample.queries[0])
            assert sorted(same.recalled) == sorted(left), "the seed decides, not the run"
    assert sample.task == TASK
