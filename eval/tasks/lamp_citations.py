"""LaMP-1: which of two papers an author cites; its profiles are papers, without any label.

So that there is something to learn from, each paper of a profile becomes a pair: asked for another
paper of the profile, it is the related reference, and a paper of another author of the file is
not. Which comes first is decided by the seed. No title of a question of this author is in a pair:
neither the papers asked about nor their options.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np

from personaagent.core.errors import DataError
from personaagent.core.records import Episode
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.tasks.files import readable
from personaagent.eval.tasks.lamp import episode, label_metrics, label_scores
from personaagent.eval.tasks.lamp_files import PUBLISHED, Asked, asked_in
from personaagent.eval.tasks.options import chosen
from personaagent.eval.tasks.protocol import Scored
from personaagent.models.chat import Models

SIDES = ("[1]", "[2]")
_INPUT = re.compile(
    r'(?P<before>.*?title ")(?P<title>.*)(?P<ask>", which reference is related\?.*?) '
    r'\[1\]: "(?P<first>.*)" \[2\]: "(?P<second>.*)"',
    re.DOTALL,
)
_ASK = (
    'For an author who has written the paper with the title "{title}", which reference is related? '
    'Just answer with [1] or [2] without explanation. [1]: "{first}" [2]: "{second}"'
)


class LampCitations:
    """The task: a case a question, the pairs from its own profile the history."""

    name = "LaMP_1"
    labels = SIDES
    metrics = label_metrics(SIDES)
    answers = True

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        """The cases; ``seed`` decides the pairs of a history, and not the questions."""
        folder = data / "lamp" / self.name
        papers, questioned = _titles(folder)
        for asked in asked_in(folder):
            with readable(folder / "questions.json", PUBLISHED):
                case = Sample(
                    id=asked.id,
                    task=self.name,
                    user_id=asked.user_id,
                    history=self._history(asked, papers, questioned[asked.user_id], seed),
                    questions=[_question(asked)],
                )
            yield case

    def _history(
        self, asked: Asked, papers: list[tuple[str, str]], questioned: set[str], seed: int
    ) -> list[Episode]:
        """A pair for each paper of the profile: asked for the next, the first after the last."""
        chance = np.random.default_rng([seed, crc32(asked.id.encode())])
        own = [item for item in asked.profile if item.fields["title"] not in questioned]
        if len(own) < 2:
            return []
        titles = {item.fields["title"] for item in own}
        found = []
        for number, (item, following) in enumerate(zip(own, [*own[1:], own[0]], strict=True), 1):
            other = _other(papers, asked.user_id, titles | questioned, chance)
            if other is None:
                return []
            pair = [item.fields["title"], other]
            side = int(chance.integers(2))
            first, second = pair if side == 0 else reversed(pair)
            query = _ASK.format(title=following.fields["title"], first=first, second=second)
            moment = datetime.fromtimestamp(number, UTC)
            if item.date:
                moment = max(item.date, following.date or item.date)
            found.append(episode(self.name, asked.user_id, number, query, SIDES[side], moment))
        return sorted(found, key=lambda each: each.created_at)

    def read(self, question: Query, text: str) -> str | None:
        """The side that the answer marks, or whose title it says (``options.chosen``)."""
        place = chosen(text, "12", question.options)
        return None if place is None else SIDES[place]

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        """Right or wrong; no model is asked."""
        text = answered.text or ""
        read = self.read(question, text)
        return Scored(read=read, scores=label_scores(question, read, text))


def _question(asked: Asked) -> Query:
    """The question as published, and ``turned``: with both references changed over."""
    before, title, ask, first, second = _parts(asked)
    sides = dict(zip(SIDES, reversed(SIDES), strict=True))
    turned = Query(
        id=asked.id,
        query=f'{before}{title}{ask} [1]: "{second}" [2]: "{first}"',
        gold=sides[asked.gold],
        options=[second, first],
    )
    return Query(
        id=asked.id, query=asked.input, gold=asked.gold, options=[first, second], turned=turned
    )


def _parts(asked: Asked) -> tuple[str, ...]:
    """What stands before the title, the title, what is asked, and both options.

    Raises:
        DataError: the question is put in other words.
    """
    found = _INPUT.fullmatch(asked.input.strip())
    if found is None:
        raise DataError(f"Question {asked.id} of LaMP_1 does not name two references. {PUBLISHED}")
    return found.groups()


def _titles(folder: Path) -> tuple[list[tuple[str, str]], dict[str, set[str]]]:
    """Every paper of a profile with its author, and the titles in each author's questions."""
    papers: dict[tuple[str, str], None] = {}
    questioned: dict[str, set[str]] = {}
    for asked in asked_in(folder):
        _, title, _, first, second = _parts(asked)
        questioned.setdefault(asked.user_id, set()).update((title, first, second))
        with readable(folder / "questions.json", PUBLISHED):
            papers |= dict.fromkeys((asked.user_id, item.fields["title"]) for item in asked.profile)
    return [*papers], questioned


def _other(
    papers: list[tuple[str, str]], user_id: str, known: set[str], chance: np.random.Generator
) -> str | None:
    """A paper of another author, none of ``known``; None where there is none."""
    start = int(chance.integers(len(papers)))
    for step in range(len(papers)):
        author, title = papers[(start + step) % len(papers)]
        if author != user_id and title not in known:
            return title
    return None
