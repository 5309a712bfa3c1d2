"""LoCoMo (arXiv 2402.17753): questions about a conversation of months, and the turns they rest on.

Read from ``locomo/locomo10.json`` in the layout in which its authors publish it. Every turn is an
episode; all questions of a conversation are a case's. Category 5, questions that have no answer,
is left out: it bears no ``answer``, and the authors' own code cannot score it without one.
"""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import fmean
from string import punctuation
from typing import Any, ClassVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, Field

from personaagent.core.extras import requires_extra
from personaagent.core.records import Episode, RoleUsage, Usage
from personaagent.core.text import shorten
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.tasks.files import read_json, readable
from personaagent.eval.tasks.protocol import Scored
from personaagent.models.chat import Models
from personaagent.models.structured import invoke_structured
from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

PUBLISHED = (
    "LoCoMo is published at https://github.com/snap-research/locomo: save its data/locomo10.json "
    "as locomo/locomo10.json in the folder that --data or PERSONAAGENT_DATA names."
)
DEPTHS = (4, 8, 20)
MULTI_HOP, OPEN_DOMAIN, ADVERSARIAL = 1, 3, 5
SHOWN_CHARS = 2000
_SESSION = re.compile(r"session_\d+")
_TURN = re.compile(r"D\d+:\d+")

Json = Mapping[str, Any]


class Locomo(ABC):
    """What both tasks have in common: a case a conversation."""

    name: ClassVar[str]
    labels = ()

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        """The cases, in the order of the file; nothing is shuffled."""
        file = data / "locomo" / "locomo10.json"
        for conversation in read_json(file, PUBLISHED):
            with readable(file, PUBLISHED):
                turns = _episodes(self.name, conversation)
                history = sorted(turns, key=lambda each: each.created_at)
                known = {each.id for each in history}
                case = Sample(
                    id=conversation["sample_id"],
                    task=self.name,
                    user_id=conversation["sample_id"],
                    history=history,
                    questions=[*self._questions(conversation, known)],
                )
            yield case

    def _questions(self, conversation: Json, known: set[str]) -> Iterator[Query]:
        """The questions that have an answer, and evidence among the turns of these ids.

        The data writes a few ids together ("D8:6; D9:17") and misspells some, which are left out.
        """
        for number, asked in enumerate(conversation["qa"], 1):
            evidence = sorted(set(_TURN.findall(" ".join(asked["evidence"]))) & known)
            if asked["category"] != ADVERSARIAL and evidence:
                yield Query(
                    id=f"{conversation['sample_id']}-{number}",
                    query=self._query(asked["question"]),
                    gold=str(asked["answer"]),
                    details={
                        "question": asked["question"],
                        "category": asked["category"],
                        "evidence": evidence,
                    },
                )

    @abstractmethod
    def _query(self, question: str) -> str: ...


class LocomoRecall(Locomo):
    """The share of a question's evidence among the first k recalled; no model is asked."""

    name = "locomo_recall"
    metrics = tuple(Mean(f"recall@{k}", f"recall@{k}") for k in DEPTHS)
    answers = False

    def _query(self, question: str) -> str:
        return question

    def read(self, question: Query, text: str) -> None:
        """Nothing is answered."""

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """Recall at each depth; what was not recalled so deep does not count."""
        recalled = answered.recalled
        shares = {f"recall@{k}": evidence_share(question, recalled[:k]) for k in DEPTHS}
        return Scored(read=None, scores=shares)


class LocomoAnswers(Locomo):
    """Short answers, by the authors' F1 and by a judge."""

    name = "locomo_qa"
    metrics = Mean("F1", "f1"), Mean("judged right", "judged")
    answers = True

    def _query(self, question: str) -> str:
        return render("eval_locomo_question", question=question)

    def read(self, question: Query, text: str) -> str | None:
        """The answer itself, unless it is empty."""
        return text.strip() or None

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """F1, and whether a model finds the answer right; none is asked where both are the same."""
        read = self.read(question, answered.text or "")
        if read is None:
            return Scored(read=None, scores={"f1": 0.0, "judged": 0.0})
        f1 = answer_f1(read, question.gold, question.details["category"])
        if _words(read) == _words(question.gold):
            return Scored(read=read, scores={"f1": f1, "judged": 1.0})
        right, usage = await _judge(
            await models.chat("critic"), question.details["question"], question.gold, read
        )
        scores = {"f1": f1, "judged": float(right)}
        return Scored(read=read, scores=scores, usage=Usage().add("critic", usage))


def evidence_share(question: Query, recalled: Collection[str]) -> float:
    """The share of the question's evidence among the ids ``recalled``."""
    evidence = question.details["evidence"]
    return sum(turn in recalled for turn in evidence) / len(evidence)


def answer_f1(answer: str, gold: str, category: int) -> float:
    """F1 of the stemmed words of both, as the authors reckon it (``task_eval/evaluation.py``).

    Multi-hop answers are lists: of each part between commas the best F1 that a part of the answer
    has with it, averaged. Of an open-domain answer only what stands before the first semicolon.
    """
    if category == MULTI_HOP:
        parts = answer.split(",")
        return fmean(max(_f1(part, wanted) for part in parts) for wanted in gold.split(","))
    return _f1(answer, gold.split(";")[0] if category == OPEN_DOMAIN else gold)


def _f1(answer: str, gold: str) -> float:
    said, wanted = _words(answer), _words(gold)
    same = sum((Counter(said) & Counter(wanted)).values())
    return 2 * same / (len(said) + len(wanted)) if same else 0.0


def _words(text: str) -> list[str]:
    """The stems of the words, without punctuation and articles (an "and" is one to the authors)."""
    plain = "".join(each for each in text.lower() if each not in punctuation)
    return [_stemmer().stem(word) for word in re.sub(r"\b(a|an|the|and)\b", " ", plain).split()]


@cache
def _stemmer() -> Any:
    with requires_extra("eval", "LoCoMo's metric"):
        from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


class _Verdict(BaseModel):
    """``why`` comes first, so that the verdict rests on it."""

    why: str = Field(json_schema_extra={"maxLength": 160})
    right: bool


async def _judge(
    model: BaseChatModel, question: str, gold: str, answer: str
) -> tuple[bool, RoleUsage]:
    prompt = render(
        "eval_locomo_judge",
        query=fence("query", question),
        wanted=fence("wanted", gold),
        answer=fence("answer", shorten(answer, SHOWN_CHARS)),
    )
    verdict, usage = await invoke_structured(model, [HumanMessage(prompt)], _Verdict, role="critic")
    return verdict.right, usage


def _episodes(task: str, conversation: Json) -> Iterator[Episode]:
    """Every turn, dated by its session; those of a session are a second apart."""
    said = conversation["conversation"]
    for session in filter(_SESSION.fullmatch, said):
        began = datetime.strptime(said[f"{session}_date_time"], "%I:%M %p on %d %B, %Y")
        for number, turn in enumerate(said[session]):
            yield Episode(
                id=turn["dia_id"],
                user_id=conversation["sample_id"],
                query=f"{turn['speaker']}: {turn['text']}",
                response="",
                task=task,
                created_at=began.replace(tzinfo=UTC) + timedelta(seconds=number),
                source="locomo",
            )
