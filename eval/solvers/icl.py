"""``icl``: examples of the task from other users, none of the user's own."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from personaagent.core.errors import ConfigurationError
from personaagent.core.records import Episode
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.solvers.actor_call import ask_actor, fit_memories
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.memory.instructions import shared_by
from personaagent.memory.ranking import same_query

MAX_EXAMPLES = 512


@dataclass(frozen=True)
class InContextLearning:
    """Shows ``top_k`` examples from other users, drawn by the seed for each sample."""

    name: str = "icl"
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Draw the examples.

        Raises:
            ConfigurationError: the environment has no examples of the task.
        """
        if sample.task not in environment.examples:
            raise ConfigurationError(
                f"There are no examples of {sample.task}: pass those of draw_examples() to "
                "open_environment()."
            )
        examples = environment.examples[sample.task]
        others = [example for example in examples if example.user_id != sample.user_id]
        order = environment.rng(sample).permutation(len(others))
        differing = shared_by(tuple(example.query for example in examples)).differing
        yield _Answerer(environment, [others[place] for place in order], differing)


@dataclass(frozen=True)
class _Answerer:
    environment: EvalEnvironment
    examples: Sequence[Episode]
    differing: Callable[[str], str]
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        """Answer with examples, none of which asks the query itself."""
        settings = self.environment.settings
        others = (
            each for each in self.examples if not same_query(each.query, query.text, self.differing)
        )
        system, _ = fit_memories("eval_icl", [*islice(others, settings.top_k)], settings)
        return await ask_actor(self.environment.models, system, query.text)


def draw_examples(samples: Iterable[Sample], seed: int, most: int = MAX_EXAMPLES) -> list[Episode]:
    """Draw at most ``most`` episodes in one pass over the samples of a task, one of each sample.

    A labelled episode is preferred; each bears the user id of its sample. If there are more samples,
    each has the same chance to stay (Vitter 1985, algorithm R).
    """
    import numpy as np

    rng, drawn = np.random.default_rng(seed), list[Episode]()
    with_history = (sample for sample in samples if sample.history)
    for number, sample in enumerate(with_history):
        candidates = [each for each in sample.history if each.labelled] or sample.history
        chosen = candidates[rng.integers(len(candidates))]
        example = chosen.model_copy(update={"user_id": sample.user_id})
        if number < most:
            drawn.append(example)
        elif (place := rng.integers(number + 1)) < most:
            drawn[place] = example
    return drawn
