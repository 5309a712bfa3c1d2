"""What is evaluated: samples, each with a user's history and the queries that come after it."""

from typing import Any

from pydantic import Field

from personaagent.core.decision import Decision
from personaagent.core.records import Episode, Record, Usage

NO_ANSWER = ""
"""The text of a solver without a model whose history suggests no answer; no task can read it."""


class Query(Record):
    """One query, and the answer that the user wanted.

    Args:
        gold: the wanted answer; "" where only a judge can decide.
        options: the texts to choose from, in the order in which ``text`` shows them.
        swapped: the same query with its options in the opposite order.
        details: what else the task needs to score an answer (evidence ids, a preference).
    """

    id: str
    text: str
    gold: str = ""
    options: list[str] = Field(default_factory=list)
    swapped: "Query | None" = None
    details: dict[str, Any] = Field(default_factory=dict)


class Sample(Record):
    """One user's episodes, oldest first, and the queries that come after them.

    ``id`` is unique within the task. The history contains no answer to any of the queries. The
    bootstrap draws all samples of one ``user_id`` together.
    """

    id: str
    task: str
    user_id: str
    history: list[Episode]
    queries: list[Query]


class SolverOutput(Record):
    """A solver's answer to a query, and how the answer came about.

    Args:
        text: the answer; None where the solver only recalls.
        recalled: the ids of the episodes that the model saw, best first.
        messages: the last prompt that the model received, as ``{role, content}``.
        persona_version: the version of the persona that answered, if there was one.
        decision: how a closed question was decided, with the probability of each answer; None if
            it was not.
    """

    text: str | None
    usage: Usage = Usage()
    recalled: list[str] = Field(default_factory=list)
    messages: list[dict[str, Any]] = Field(default_factory=list)
    persona_version: int | None = None
    decision: Decision | None = None


class TrainingResult(Record):
    """What a solver learned from a sample before its first query.

    ``alignment`` is the stored result of an alignment run, if there was one (``Alignment.stored``).
    ``before`` and ``after`` are the rules of the persona, one a line.
    """

    usage: Usage = Usage()
    seconds: float = 0.0
    alignment: dict[str, Any] | None = None
    before: str = ""
    after: str = ""
