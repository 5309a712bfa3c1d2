"""PrefEval (arXiv 2502.09597): does an answer respect what the user said long before?

Reads ``prefeval/benchmark_dataset`` in the layout of its authors. A user has one preference and tells
it in three forms, each of which is a sample: explicitly (``explicit``), by choosing between options
(``choice-based``), or in passing (``persona-driven``). Unrelated turns follow, then the query.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from personaagent.core.errors import DataError, UsageError
from personaagent.core.records import Episode, Usage
from personaagent.eval.metrics.calibration import CalibrationError
from personaagent.eval.metrics.personal import faithfulness, persona_f1
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks.files import data_errors, read_json
from personaagent.eval.tasks.option_answers import BOTH_ORDERS, chosen_option
from personaagent.eval.tasks.prefeval_judge import ERRORS, error_scores, judge
from personaagent.eval.tasks.protocol import Score
from personaagent.models.chat import Models
from personaagent.prompts.render import render

PUBLISHED = (
    "PrefEval is published at https://github.com/amazon-science/PrefEval: save its folder "
    "benchmark_dataset in prefeval/ in the folder that --data or PERSONAAGENT_DATA names."
)
FORMS = {
    "explicit": "explicit_preference",
    "choice-based": "implicit_preference/choice-based",
    "persona-driven": "implicit_preference/persona-driven",
}
"""The folder of each form."""
FIRST_TURN_AT = datetime(2025, 1, 1, tzinfo=UTC)
"""The date of the first turn; the others follow a minute apart. The data has no dates."""
ACKNOWLEDGEMENT = "Understood."
"""The reply to an explicit preference; the authors let the tested model write it."""
MARKS = "ABCD"
MAX_ANSWER_WORDS = 300
"""As the authors ask for."""

Json = Mapping[str, Any]
Turn = tuple[str, str]
"""What the user said, and the assistant's reply."""


@dataclass(frozen=True)
class PrefEval(ABC):
    """What both tasks have in common. ``turns`` unrelated turns precede the query, 0 to 300."""

    turns: int = 10
    name: ClassVar[str]
    labels = ()
    answers = True

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield the samples topic by topic; the three forms of a preference follow each other.

        Raises:
            DataError: a file is missing or has another layout.
            UsageError: the data has fewer unrelated turns.
        """
        folder = data / "prefeval" / "benchmark_dataset"
        unrelated = self._unrelated_turns(folder / "filtered_inter_turns.json")
        topics = sorted((folder / "mcq_options").glob("*.json"))
        if not topics:
            raise DataError(f"{folder / 'mcq_options'} holds no topics. {PUBLISHED}")
        for topic in topics:
            yield from self._samples_of_topic(folder, topic, unrelated, seed)

    def _samples_of_topic(
        self, folder: Path, topic: Path, unrelated: Sequence[Turn], seed: int
    ) -> Iterator[Sample]:
        all_options = read_json(topic, PUBLISHED)
        files = {form: folder / subfolder / topic.name for form, subfolder in FORMS.items()}
        preferences = {form: read_json(file, PUBLISHED) for form, file in files.items()}
        for number, options in enumerate(all_options):
            user_id = f"{topic.stem}-{number}"
            for form, file in files.items():
                with data_errors(file, PUBLISHED):
                    preference = preferences[form][number]
                    turns = [*_preference_turns(form, preference), *unrelated]
                    sample = Sample(
                        id=f"{user_id}-{form}",
                        task=self.name,
                        user_id=user_id,
                        history=_episodes(self.name, user_id, turns),
                        queries=[self._query(f"{user_id}-{form}", form, preference, options, seed)],
                    )
                yield sample

    def _unrelated_turns(self, file: Path) -> list[Turn]:
        conversations = read_json(file, PUBLISHED)
        with data_errors(file, PUBLISHED):
            turns = [*islice(_turns(conversations), self.turns)]
        if len(turns) < self.turns:
            raise UsageError(
                f"{file} holds {len(turns)} turns, fewer than {self.turns}: ask for fewer."
            )
        return turns

    @abstractmethod
    def _query(
        self, query_id: str, form: str, preference: Json, options: Json, seed: int
    ) -> Query: ...


@dataclass(frozen=True)
class PrefEvalChoice(PrefEval):
    """The query comes with four options, one of which respects the preference."""

    name = "prefeval_mcq"
    metrics = (
        Mean("accuracy", "correct"),
        Mean("accuracy of both orders", BOTH_ORDERS),
        CalibrationError(),
    )

    def _query(self, query_id: str, form: str, preference: Json, options: Json, seed: int) -> Query:
        """Shuffle the options by ``seed``; the first published one is right."""
        published = options["classification_task_options"]
        if len(published) != len(MARKS):
            raise ValueError(f"{len(published)} options")
        rng = np.random.default_rng([seed, crc32(query_id.encode())])
        shuffled = [published[index] for index in rng.permutation(len(published))]
        common = {
            "id": query_id,
            "gold": published[0],
            "details": {"form": form, "preference": options["preference"]},
        }
        question, reverse = options["question"], shuffled[::-1]
        swapped = Query(text=_with_options(question, reverse), options=reverse, **common)
        return Query(
            text=_with_options(question, shuffled), options=shuffled, swapped=swapped, **common
        )

    def read(self, query: Query, text: str) -> str | None:
        """The text of the option that the answer marks or quotes (``chosen_option``)."""
        index = chosen_option(text, MARKS, query.options)
        return None if index is None else query.options[index]

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Right or wrong; no model is called."""
        read = self.read(query, output.text or "")
        return Score(read=read, scores={"correct": float(read == query.gold)})


@dataclass(frozen=True)
class PrefEvalText(PrefEval):
    """The query without options; a judge decides whether the answer respects the preference."""

    name = "prefeval_generation"
    metrics = (
        Mean("follows", "follows"),
        *(Mean(error, error, higher=False) for error in ERRORS),
        Mean("Persona-F1", "persona_f1"),
        Mean("faithfulness", "faithfulness"),
    )

    def _query(self, query_id: str, form: str, preference: Json, options: Json, seed: int) -> Query:
        question = preference["question"]
        return Query(
            id=query_id,
            text=f"{question} (Please respond within {MAX_ANSWER_WORDS} words.)",
            details={"form": form, "preference": preference["preference"], "question": question},
        )

    def read(self, query: Query, text: str) -> str | None:
        """The answer without surrounding spaces; None if it is empty."""
        return text.strip() or None

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Score by the judge, and by the words shared with the preference and the history."""
        read, preference = self.read(query, output.text or ""), query.details["preference"]
        if read is None:
            return Score(read=None, scores=error_scores("unhelpful") | {"persona_f1": 0.0})
        critic = await models.chat("critic")
        scores, usage = await judge(critic, preference, query.details["question"], read)
        scores["persona_f1"] = persona_f1(read, [preference])
        sources = [query.text, *(episode.query for episode in sample.history)]
        if (share := faithfulness(read, sources)) is not None:
            scores["faithfulness"] = share
        return Score(read=read, scores=scores, usage=Usage().add("critic", usage))


def _preference_turns(form: str, preference: Json) -> Iterable[Turn]:
    """The turns in which the user tells the preference."""
    if form == "explicit":
        return [(preference["preference"], ACKNOWLEDGEMENT)]
    conversation = preference["conversation"]
    if form == "choice-based":
        return [
            (conversation["query"], conversation["assistant_options"]),
            (conversation["user_selection"], conversation["assistant_acknowledgment"]),
        ]
    return [(turn["user"], turn["assistant"]) for turn in conversation.values()]


def _turns(conversations: Iterable[Json]) -> Iterator[Turn]:
    """All turns of the unrelated conversations in the order in which the authors insert them."""
    for conversation in conversations:
        messages = conversation["conversation"]
        for user_message, reply in zip(messages[::2], messages[1::2], strict=True):
            yield user_message["content"], reply["content"]


def _episodes(task: str, user_id: str, turns: Iterable[Turn]) -> list[Episode]:
    return [
        Episode(
            id=f"{task}-{number}",
            user_id=user_id,
            query=query,
            response=response,
            task=task,
            created_at=FIRST_TURN_AT + timedelta(minutes=number),
            source="prefeval",
        )
        for number, (query, response) in enumerate(turns, 1)
    ]


def _with_options(question: str, options: Sequence[str]) -> str:
    lines = [f"{mark}. {option}" for mark, option in zip(MARKS, options, strict=True)]
    return render("eval_prefeval_choice", question=question, options="\n".join(lines))
