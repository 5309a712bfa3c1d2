"""LoCoMo (arXiv 2402.17753): questions about months of conversation, and the turns with the evidence.

Reads ``locomo/locomo10.json`` in the layout of its authors. Every turn is an episode, and every
conversation is one sample with all its questions. Category 5, questions without an answer, is left out:
it has no ``answer`` field, and the authors' own code cannot score it without one.
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
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks.files import data_errors, read_json
from personaagent.eval.tasks.protocol import Score
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
MAX_ANSWER_CHARS = 2000
_SESSION = re.compile(r"session_\d+")
_TURN = re.compile(r"D\d+:\d+")

Json = Mapping[str, Any]


class Locomo(ABC):
    """What both tasks have in common: each conversation is a sample."""

    name: ClassVar[str]
    labels = ()

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield the samples in the order of the file; nothing is shuffled."""
        file = data / "locomo" / "locomo10.json"
        for conversation in read_json(file, PUBLISHED):
            with data_errors(file, PUBLISHED):
                turns = _episodes(self.name, conversation)
                history = sorted(turns, key=lambda episode: episode.created_at)
                turn_ids = {episode.id for episode in history}
                sample = Sample(
                    id=conversation["sample_id"],
                    task=self.name,
                    user_id=conversation["sample_id"],
                    history=history,
                    queries=[*self._queries(conversation, turn_ids)],
                )
            yield sample

    def _queries(self, conversation: Json, turn_ids: set[str]) -> Iterator[Query]:
        """The questions that have an answer and evidence among the turns.

        The data joins a few ids ("D8:6; D9:17") and misspells some; misspelled ids are left out.
        """
        for number, question in enumerate(conversation["qa"], 1):
            evidence = sorted(set(_TURN.findall(" ".join(question["evidence"]))) & turn_ids)
            if question["category"] != ADVERSARIAL and evidence:
                yield Query(
                    id=f"{conversation['sample_id']}-{number}",
                    text=self._query_text(question["question"]),
                    gold=str(question["answer"]),
                    details={
                        "question": question["question"],
                        "category": question["category"],
                        "evidence": evidence,
                    },
                )

    @abstractmethod
    def _query_text(self, question: str) -> str: ...


class LocomoRecall(Locomo):
    """The share of a question's evidence among the first k episodes recalled; no model is called."""

    name = "locomo_recall"
    metrics = tuple(Mean(f"recall@{k}", f"recall@{k}") for k in DEPTHS)
    answers = False

    def _query_text(self, question: str) -> str:
        return question

    def read(self, query: Query, text: str) -> None:
        """Return None: nothing is answered."""

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Recall at each depth; a solver that recalls fewer episodes finds no more evidence."""
        shares = {f"recall@{k}": evidence_share(query, output.recalled[:k]) for k in DEPTHS}
        return Score(read=None, scores=shares)


class LocomoAnswers(Locomo):
    """Short answers, scored by the authors' F1 and by a judge."""

    name = "locomo_qa"
    metrics = Mean("F1", "f1"), Mean("judged right", "judged")
    answers = True

    def _query_text(self, question: str) -> str:
        return render("eval_locomo_question", question=question)

    def read(self, query: Query, text: str) -> str | None:
        """The answer without surrounding spaces; None if it is empty."""
        return text.strip() or None

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """F1, and whether a judge finds the answer right; equal answers need no judge."""
        read = self.read(query, output.text or "")
        if read is None:
            return Score(read=None, scores={"f1": 0.0, "judged": 0.0})
        f1 = answer_f1(read, query.gold, query.details["category"])
        if _words(read) == _words(query.gold):
            return Score(read=read, scores={"f1": f1, "judged": 1.0})
        right, usage = await _judge(
            await models.chat("critic"), query.details["question"], query.gold, read
        )
        return Score(
            read=read,
            scores={"f1": f1, "judged": float(right)},
            usage=Usage().add("critic", usage),
        )


def evidence_share(query: Query, recalled: Collection[str]) -> float:
    """The share of the question's evidence among the ids ``recalled``."""
    evidence = query.details["evidence"]
    return sum(turn in recalled for turn in evidence) / len(evidence)


def answer_f1(answer: str, gold: str, category: int) -> float:
    """F1 of the stemmed words, as the authors compute it (``task_eval/evaluation.py``).

    Multi-hop answers are lists with commas: for each wanted item, the best F1 of any answered item,
    averaged. For open-domain answers, only the text before the first semicolon of ``gold`` counts.
    """
    if category == MULTI_HOP:
        items = answer.split(",")
        return fmean(max(_f1(item, wanted) for item in items) for wanted in gold.split(","))
    return _f1(answer, gold.split(";")[0] if category == OPEN_DOMAIN else gold)


def _f1(answer: str, gold: str) -> float:
    answer_words, gold_words = _words(answer), _words(gold)
    shared = sum((Counter(answer_words) & Counter(gold_words)).values())
    return 2 * shared / (len(answer_words) + len(gold_words)) if shared else 0.0


def _words(text: str) -> list[str]:
    """The stems of the words, without punctuation and articles; the authors count "and" as one."""
    plain = "".join(character for character in text.lower() if character not in punctuation)
    return [_stemmer().stem(word) for word in re.sub(r"\b(a|an|the|and)\b", " ", plain).split()]


@cache
def _stemmer() -> Any:
    with requires_extra("eval", "LoCoMo's metric"):
        from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


class _AnswerVerdict(BaseModel):
    """``why`` comes first, so that the model reasons before it decides."""

    why: str = Field(json_schema_extra={"maxLength": 160})
    right: bool


async def _judge(
    model: BaseChatModel, question: str, gold: str, answer: str
) -> tuple[bool, RoleUsage]:
    prompt = render(
        "eval_locomo_judge",
        query=fence("query", question),
        wanted=fence("wanted", gold),
        answer=fence("answer", shorten(answer, MAX_ANSWER_CHARS)),
    )
    verdict, usage = await invoke_structured(
        model, [HumanMessage(prompt)], _AnswerVerdict, role="critic"
    )
    return verdict.right, usage


def _episodes(task: str, conversation: Json) -> Iterator[Episode]:
    """Every turn, dated by its session; the turns of a session are one second apart.

    A session is a conversation.
    """
    sessions = conversation["conversation"]
    for session in filter(_SESSION.fullmatch, sessions):
        started = datetime.strptime(sessions[f"{session}_date_time"], "%I:%M %p on %d %B, %Y")
        for number, turn in enumerate(sessions[session]):
            yield Episode(
                id=turn["dia_id"],
                user_id=conversation["sample_id"],
                query=_text(turn),
                response="",
                task=task,
                created_at=started.replace(tzinfo=UTC) + timedelta(seconds=number),
                source="locomo",
                metadata={"conversation_id": session},
            )


def _text(turn: Json) -> str:
    """What was said, by whom, and the caption of the photo that was shown, if any.

    The authors' code puts captions so (``task_eval/gpt_utils.py``).
    """
    caption = f" and shared {turn['blip_caption']}." if turn.get("blip_caption") else ""
    return f"{turn['speaker']}: {turn['text']}{caption}"
