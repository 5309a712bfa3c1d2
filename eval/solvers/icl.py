"""``icl``: examples of the task from other users, none of the user's own."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from personaagent.core.errors import ConfigurationError
from personaagent.core.records import Episode
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.solvers.ask import ask, with_memories
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.memory.ranking import same_query

MOST_EXAMPLES = 512


@dataclass(frozen=True)
class InContextLearning:
    """Shows ``top_k`` examples of other users, drawn by the seed for each case."""

    name: str = "icl"
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """Draw the examples.

        Raises:
            ConfigurationError: the lab has no examples of the task.
        """
        if case.task not in lab.examples:
            raise ConfigurationError(
                f"There are no examples of {case.task}: open the lab with draw_examples() of it."
            )
        others = [each for each in lab.examples[case.task] if each.user_id != case.user_id]
        yield _Answerer(lab, [others[place] for place in lab.random(case).permutation(len(others))])


@dataclass(frozen=True)
class _Answerer:
    lab: EvalEnvironment
    others: Sequence[Episode]
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        """None of the examples asks the very question."""
        settings = self.lab.settings
        fit = (each for each in self.others if not same_query(each.query, question.query))
        system, _ = with_memories("eval_icl", [*islice(fit, settings.top_k)], settings)
        return await ask(self.lab.models, system, question.query)


def draw_examples(cases: Iterable[Sample], seed: int, most: int = MOST_EXAMPLES) -> list[Episode]:
    """At most ``most`` episodes of the cases of one task, in one pass: one of each case, by ``seed``.

    A labelled one where the case has any; bears the user id of its case. Of more cases each is
    as likely to stay (Vitter 1985, algorithm R).
    """
    import numpy as np

    chance, drawn = np.random.default_rng(seed), list[Episode]()
    with_history = (case for case in cases if case.history)
    for number, case in enumerate(with_history):
        fit = [each for each in case.history if each.labelled] or case.history
        one = fit[chance.integers(len(fit))].model_copy(update={"user_id": case.user_id})
        if number < most:
            drawn.append(one)
        elif (place := chance.integers(number + 1)) < most:
            drawn[place] = one
    return drawn
