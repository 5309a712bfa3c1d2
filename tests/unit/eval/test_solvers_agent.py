"""The agent as a solver: what it learns from a sample, and what each of its parts knows."""

from pathlib import Path

import pytest

from personaagent.eval.samples import Query, Sample
from personaagent.eval.solvers.registry import SOLVERS
from tests.support.alignment import PREFERENCES, Scripted, act, answer_to, walks
from tests.support.film_lovers import ANNA, GOLD, by_summary
from tests.support.scripted_model import Prompt, Reply
from tests.support.solvers import open_bench

[KILOMETRES, *_] = PREFERENCES
LIVED = Sample(
    id="walks",
    task="walks",
    user_id="anna",
    history=walks(14, [KILOMETRES], task="walks"),
    queries=[Query(id="q", text="Tell me about the zoo?", gold=GOLD)],
)


def algorithm_1(prompt: Prompt) -> Reply:
    """The actor, and the free-text evaluator and prompt engineer of the paper's algorithm."""
    if "meticulous" in prompt.last:
        return " ".join(rule for rule, said in PREFERENCES.items() if said in prompt.last)
    if "prompt engineer" in prompt.last:
        return "\n".join(f"- {rule}" for rule in PREFERENCES if rule in prompt.last)
    return act(prompt)


@pytest.mark.parametrize(
    ("solver", "follows"),
    [
        ("persona", [KILOMETRES]),
        ("persona-paper", [KILOMETRES]),
        ("persona-no-memory", [KILOMETRES]),
        ("persona-no-action", [KILOMETRES]),
        ("persona-no-alignment", []),
        ("persona-no-persona", []),
    ],
)
async def test_the_agent_answers_by_what_it_learned_from_the_sample(
    tmp_path: Path, solver: str, follows: list[str]
) -> None:
    scripted = Scripted(actor=algorithm_1)
    async with open_bench(tmp_path, scripted, align_rounds=1) as bench:
        async with SOLVERS[solver].prepare(LIVED, bench.environment) as answerer:
            output = await answerer.answer(LIVED.queries[0])
            again = await answerer.answer(LIVED.queries[0])
        assert output.text == again.text == answer_to("Tell me about the zoo?", follows)
        learned = answerer.training_result
        assert (learned is not None) == bool(follows)
        if learned is not None and learned.alignment is not None:
            assert learned.alignment["to_version"] == output.persona_version == 2
            assert KILOMETRES not in learned.before
            assert f"- {KILOMETRES}" in learned.after.splitlines()
            calls = sum(each.llm_calls for each in learned.usage.by_role.values())
            assert calls == len(bench.prompts) - 2 == learned.alignment["usage"]["llm_calls"]


def openly(sample: Sample) -> Sample:
    """The sample with a question that no set of labels answers, so that tools are offered."""
    query = sample.queries[0].model_copy(update={"text": "Explain how a knight lived."})
    return sample.model_copy(update={"queries": [query]})


@pytest.mark.parametrize(
    ("solver", "tools", "knows"),
    [
        ("persona", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-paper", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-no-alignment", "recall_episodes search_wikipedia", "facts memories rules"),
        ("persona-no-persona", "recall_episodes search_wikipedia", "memories"),
        ("persona-no-memory", "search_wikipedia", "rules"),
        ("persona-no-action", "", "facts memories rules"),
        ("recall-only", "recall_episodes", "facts rules"),
        ("wikipedia-only", "search_wikipedia", "facts rules"),
        ("recall-and-wikipedia", "recall_episodes search_wikipedia", "facts rules"),
        ("no-tools", "", "facts rules"),
        ("react", "recall_episodes search_wikipedia", ""),
    ],
)
async def test_the_parts_of_each_agent(tmp_path: Path, solver: str, tools: str, knows: str) -> None:
    async with open_bench(tmp_path, Scripted(actor=lambda prompt: "sci-fi")) as bench:
        await bench.answer(solver, openly(ANNA))
        [*_, last] = bench.prompts
    offered = sorted(each["function"]["name"] for each in last.tools)
    signs = {"facts": "the user chose", "memories": "<episode ", "rules": "<persona>\n- "}
    assert offered == tools.split()
    assert [name for name, sign in signs.items() if sign in last.system] == knows.split()


async def test_a_summary_that_is_due_is_written_first(tmp_path: Path) -> None:
    for every, said in ((4, "- Loves sci-fi."), (5, "(none)"), (0, "(none)")):
        async with open_bench(tmp_path, by_summary, summary_every=every) as bench:
            async with SOLVERS["persona-no-alignment"].prepare(ANNA, bench.environment) as answerer:
                assert (await answerer.answer(openly(ANNA).queries[0])).text == said
            assert (answerer.training_result is not None) == (every == 4)
