"""What is evaluated: a user's history, and the questions that are asked after it."""

from typing import Any

from pydantic import Field

from personaagent.core.records import Episode, Record, Usage


class Query(Record):
    """One question, and what the user wanted.

    ``gold`` is "" where only a judge can say. ``options`` are the texts to choose from, in the
    order in which ``query`` shows them; ``turned`` asks the same with the options in the opposite
    order. ``details`` is what the task's own scoring needs besides (evidence ids, a preference).
    """

    id: str
    query: str
    gold: str = ""
    options: list[str] = Field(default_factory=list)
    turned: "Query | None" = None
    details: dict[str, Any] = Field(default_factory=dict)


class Sample(Record):
    """One user's episodes, oldest first, and the questions after them; no answer is among them.

    ``id`` is unique in its task. Cases of one ``user_id`` are one draw of the bootstrap.
    """

    id: str
    task: str
    user_id: str
    history: list[Episode]
    questions: list[Query]


class Answered(Record):
    """A method's answer to a question, and how it came about.

    ``text`` is None where the method only recalls. ``recalled`` are the ids of the episodes that
    were before the model, best first; ``told`` is all that the model was told last, as
    ``{role, content}``.
    """

    text: str | None
    usage: Usage = Usage()
    recalled: list[str] = Field(default_factory=list)
    told: list[dict[str, Any]] = Field(default_factory=list)
    persona_version: int | None = None


class TrainingResult(Record):
    """What a method learned from a case before its first question.

    ``alignment`` is the result of the run (`Alignment.stored()`), where there was one;
    ``before`` and ``after`` are the persona's rules, rendered.
    """

    usage: Usage = Usage()
    seconds: float = 0.0
    alignment: dict[str, Any] | None = None
    before: str = ""
    after: str = ""
