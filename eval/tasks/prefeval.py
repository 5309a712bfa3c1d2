"""PrefEval (arXiv 2502.09597): does an answer follow what the user said long before.

Read from ``prefeval/benchmark_dataset`` in the layout in which its authors publish it. A user has
one preference, and tells it in three forms, each a case: said outright (``explicit``), by choosing
between options (``choice-based``), or in passing (``persona-driven``). Turns about other things
follow, then the question.
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
from personaagent.eval.metrics.personal import faithfulness, persona_f1
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.tasks.files import read_json, readable
from personaagent.eval.tasks.options import chosen
from personaagent.eval.tasks.prefeval_judge import ERRORS, judge, scores_of
from personaagent.eval.tasks.protocol import Scored
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
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
"""When the first turn is dated; each of the others is a minute later. The data bears no dates."""
ACKNOWLEDGED = "Understood."
"""The reply to a preference said outright: the authors have the tested model write it."""
MARKS = "ABCD"
LONGEST_ANSWER = 300
"""Words: what the authors ask for."""

Json = Mapping[str, Any]
Turn = tuple[str, str]


@dataclass(frozen=True)
class PrefEval(ABC):
    """What both tasks have in common. ``turns`` other turns lie before the question, 0 to 300."""

    turns: int = 10
    name: ClassVar[str]
    labels = ()
    answers = True

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        """The cases, topic by topic, the three forms of a preference one after another.

        Raises:
            DataError: a file is missing or in another layout.
            UsageError: there are not so many other turns.
        """
        folder = data / "prefeval" / "benchmark_dataset"
        between = self._between(folder / "filtered_inter_turns.json")
        topics = sorted((folder / "mcq_options").glob("*.json"))
        if not topics:
            raise DataError(f"{folder / 'mcq_options'} holds no topics. {PUBLISHED}")
        for topic in topics:
            asked = read_json(topic, PUBLISHED)
            files = {form: folder / place / topic.name for form, place in FORMS.items()}
            told = {form: read_json(file, PUBLISHED) for form, file in files.items()}
            for number, options in enumerate(asked):
                for form, file in files.items():
                    user_id = f"{topic.stem}-{number}"
                    with readable(file, PUBLISHED):
                        said = told[form][number]
                        case = Sample(
                            id=f"{user_id}-{form}",
                            task=self.name,
                            user_id=user_id,
                            history=_episodes(
                                self.name, user_id, [*_telling(form, said), *between]
                            ),
                            questions=[
                                self._question(f"{user_id}-{form}", form, said, options, seed)
                            ],
                        )
                    yield case

    def _between(self, file: Path) -> list[Turn]:
        conversations = read_json(file, PUBLISHED)
        with readable(file, PUBLISHED):
            found = [*islice(_turns(conversations), self.turns)]
        if len(found) < self.turns:
            raise UsageError(
                f"{file} holds {len(found)} turns, fewer than {self.turns}: ask for less."
            )
        return found

    @abstractmethod
    def _question(self, name: str, form: str, said: Json, options: Json, seed: int) -> Query: ...


@dataclass(frozen=True)
class PrefEvalChoice(PrefEval):
    """The question with four options, of which one follows the preference."""

    name = "prefeval_mcq"
    metrics = (Mean("accuracy", "correct"),)

    def _question(self, name: str, form: str, said: Json, options: Json, seed: int) -> Query:
        """The options in an order by ``seed`` (the first published is the right one)."""
        published = options["classification_task_options"]
        if len(published) != len(MARKS):
            raise ValueError(f"{len(published)} options")
        order = np.random.default_rng([seed, crc32(name.encode())]).permutation(len(published))
        shown = [published[place] for place in order]
        asked = {
            "id": name,
            "gold": published[0],
            "details": {"form": form, "preference": options["preference"]},
        }
        turned = Query(
            query=_with_options(options["question"], shown[::-1]), options=shown[::-1], **asked
        )
        return Query(
            query=_with_options(options["question"], shown), options=shown, turned=turned, **asked
        )

    def read(self, question: Query, text: str) -> str | None:
        """The text of the option that the answer marks or says (``options.chosen``)."""
        place = chosen(text, MARKS, question.options)
        return None if place is None else question.options[place]

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """Right or wrong; no model is asked."""
        read = self.read(question, answered.text or "")
        return Scored(read=read, scores={"correct": float(read == question.gold)})


@dataclass(frozen=True)
class PrefEvalText(PrefEval):
    """The question as it is; a model judges whether the answer follows the preference."""

    name = "prefeval_generation"
    metrics = (
        Mean("follows", "follows"),
        *(Mean(error, error, higher=False) for error in ERRORS),
        Mean("Persona-F1", "persona_f1"),
        Mean("faithfulness", "faithfulness"),
    )

    def _question(self, name: str, form: str, said: Json, options: Json, seed: int) -> Query:
        return Query(
            id=name,
            query=f"{said['question']} (Please respond within {LONGEST_ANSWER} words.)",
            details={"form": form, "preference": said["preference"], "question": said["question"]},
        )

    def read(self, question: Query, text: str) -> str | None:
        """The answer itself, unless it is empty."""
        return text.strip() or None

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """By the judge, and how near the answer is to the preference and the user's history."""
        read, preference = self.read(question, answered.text or ""), question.details["preference"]
        if read is None:
            return Scored(read=None, scores=scores_of("unhelpful") | {"persona_f1": 0.0})
        scores, usage = await judge(
            await models.chat("critic"), preference, question.details["question"], read
        )
        scores["persona_f1"] = persona_f1(read, [preference])
        share = faithfulness(read, [question.query, *(each.query for each in case.history)])
        scores |= {} if share is None else {"faithfulness": share}
        return Scored(read=read, scores=scores, usage=Usage().add("critic", usage))


def _telling(form: str, said: Json) -> Iterable[Turn]:
    """The turns in which the user tells the preference."""
    if form == "explicit":
        return [(said["preference"], ACKNOWLEDGED)]
    told = said["conversation"]
    if form == "choice-based":
        return [
            (told["query"], told["assistant_options"]),
            (told["user_selection"], told["assistant_acknowledgment"]),
        ]
    return [(turn["user"], turn["assistant"]) for turn in told.values()]


def _turns(conversations: Iterable[Json]) -> Iterator[Turn]:
    """All turns of the other conversations, one after another, as the authors insert them."""
    for each in conversations:
        said = each["conversation"]
        for asked, replied in zip(said[::2], said[1::2], strict=True):
            yield asked["content"], replied["content"]


def _episodes(task: str, user_id: str, turns: Iterable[Turn]) -> list[Episode]:
    return [
        Episode(
            id=f"{task}-{number}",
            user_id=user_id,
            query=query,
            response=response,
            task=task,
            created_at=BEGIN + timedelta(minutes=number),
            source="prefeval",
        )
        for number, (query, response) in enumerate(turns, 1)
    ]


def _with_options(question: str, options: Sequence[str]) -> str:
    shown = "\n".join(f"{mark}. {option}" for mark, option in zip(MARKS, options, strict=True))
    return render("eval_prefeval_choice", question=question, options=shown)
