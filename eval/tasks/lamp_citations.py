"""LaMP-1: which of two papers an author cites. Its profiles are papers without labels.

To have something to learn from, each paper of a profile becomes a pair of references: for another
paper of the profile it is the related one, and a paper by another author of the file is not. The seed
decides which comes first. No title from this author's own questions is in a pair.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np

from personaagent.core.errors import DataError
from personaagent.core.records import Episode
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.tasks.files import data_errors
from personaagent.eval.tasks.lamp import episode, label_metrics, label_scores
from personaagent.eval.tasks.lamp_files import PUBLISHED, LampQuestion, ProfileItem, read_questions
from personaagent.eval.tasks.option_answers import BOTH_ORDERS, chosen_option
from personaagent.eval.tasks.protocol import Score
from personaagent.models.chat import Models

SIDES = ("[1]", "[2]")
Paper = tuple[str, str]
"""The author's user id and the title."""
_QUESTION_PATTERN = re.compile(
    r'(?P<before>.*?title ")(?P<title>.*)(?P<ask>", which reference is related\?.*?) '
    r'\[1\]: "(?P<first>.*)" \[2\]: "(?P<second>.*)"',
    re.DOTALL,
)
_PAIR_PROMPT = (
    'For an author who has written the paper with the title "{title}", which reference is related? '
    'Just answer with [1] or [2] without explanation. [1]: "{first}" [2]: "{second}"'
)


class LampCitations:
    """The task: each question is a sample, the pairs from its own profile are the history."""

    name = "LaMP_1"
    labels = SIDES
    metrics = *label_metrics(SIDES), Mean("accuracy of both orders", BOTH_ORDERS)
    answers = True

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        """Yield the samples; ``seed`` decides the pairs of a history, not the questions."""
        folder = data / "lamp" / self.name
        papers, titles_in_questions = _read_titles(folder)
        for question in read_questions(folder):
            with data_errors(folder / "questions.json", PUBLISHED):
                sample = Sample(
                    id=question.id,
                    task=self.name,
                    user_id=question.user_id,
                    history=self._history(
                        question, papers, titles_in_questions[question.user_id], seed
                    ),
                    queries=[_query(question)],
                )
            yield sample

    def _history(
        self, question: LampQuestion, papers: Sequence[Paper], excluded: set[str], seed: int
    ) -> list[Episode]:
        """One pair for each paper of the profile, as the reference of the next paper in a circle."""
        rng = np.random.default_rng([seed, crc32(question.id.encode())])
        own = [item for item in question.profile if item.fields["title"] not in excluded]
        if len(own) < 2:
            return []
        excluded = excluded | {item.fields["title"] for item in own}
        history = []
        for number, (item, following) in enumerate(zip(own, [*own[1:], own[0]], strict=True), 1):
            other_title = _paper_of_another_author(papers, question.user_id, excluded, rng)
            if other_title is None:
                return []
            side = int(rng.integers(2))
            query = _pair_query(item, following, other_title, side)
            created_at = _pair_date(item, following, number)
            history.append(
                episode(self.name, question.user_id, number, query, SIDES[side], created_at)
            )
        return sorted(history, key=lambda each: each.created_at)

    def read(self, query: Query, text: str) -> str | None:
        """The side that the answer marks, or whose title it contains (``chosen_option``)."""
        index = chosen_option(text, "12", query.options)
        return None if index is None else SIDES[index]

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        """Right or wrong; no model is called."""
        text = output.text or ""
        read = self.read(query, text)
        return Score(read=read, scores=label_scores(query, read, text))


def _pair_query(related: ProfileItem, asked: ProfileItem, other_title: str, side: int) -> str:
    """The query about the paper ``asked``; the related paper is on ``side`` (0 or 1)."""
    titles = [other_title, other_title]
    titles[side] = related.fields["title"]
    return _PAIR_PROMPT.format(title=asked.fields["title"], first=titles[0], second=titles[1])


def _pair_date(item: ProfileItem, following: ProfileItem, number: int) -> datetime:
    if item.date:
        return max(item.date, following.date or item.date)
    return datetime.fromtimestamp(number, UTC)


def _query(question: LampQuestion) -> Query:
    """The query as published, and with both references swapped."""
    before, title, ask, first, second = _split_question(question)
    other_side: dict[str, str] = dict(zip(SIDES, reversed(SIDES), strict=True))
    swapped = Query(
        id=question.id,
        text=f'{before}{title}{ask} [1]: "{second}" [2]: "{first}"',
        gold=other_side[question.gold],
        options=[second, first],
    )
    return Query(
        id=question.id,
        text=question.input,
        gold=question.gold,
        options=[first, second],
        swapped=swapped,
    )


def _split_question(question: LampQuestion) -> tuple[str, ...]:
    """The text before the title, the title, the text after it, and both options.

    Raises:
        DataError: the question has another wording.
    """
    match = _QUESTION_PATTERN.fullmatch(question.input.strip())
    if match is None:
        raise DataError(
            f"Question {question.id} of LaMP_1 does not name two references. {PUBLISHED}"
        )
    return match.groups()


def _read_titles(folder: Path) -> tuple[list[Paper], dict[str, set[str]]]:
    """Every paper of a profile, and the titles in the questions of each author."""
    papers: dict[Paper, None] = {}
    titles_in_questions: dict[str, set[str]] = {}
    for question in read_questions(folder):
        _, title, _, first, second = _split_question(question)
        titles_in_questions.setdefault(question.user_id, set()).update((title, first, second))
        with data_errors(folder / "questions.json", PUBLISHED):
            own = ((question.user_id, item.fields["title"]) for item in question.profile)
            papers |= dict.fromkeys(own)
    return [*papers], titles_in_questions


def _paper_of_another_author(
    papers: Sequence[Paper], user_id: str, excluded: set[str], rng: np.random.Generator
) -> str | None:
    """The title of a random paper by another author, not among ``excluded``; None if there is none."""
    start = int(rng.integers(len(papers)))
    for step in range(len(papers)):
        author, title = papers[(start + step) % len(papers)]
        if author != user_id and title not in excluded:
            return title
    return None
