"""What the names of a closed question's answers say, by embeddings."""

from personaagent.core.decision import ClosedQuestion
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.user import UserMemory
from personaagent.nodes.decision.history import are_truth_values
from personaagent.nodes.decision.history_votes import flattened, nearness
from personaagent.nodes.decision.listed import without_list
from personaagent.nodes.decision.name_votes import cosine, name_votes

MOST_NAMES = 40
"""With more answers than this their names are not embedded."""


async def answer_names(
    asked: ClosedQuestion, query: str, memory: UserMemory, labels: LabelCounts | None
) -> dict[str, float] | None:
    """The probability of each answer by the names of labels, or the texts of options; None if they say
    nothing.

    Labels count by how near they are to the question, options by how near they are to the user's history
    of the task. Of who has not chosen there before they say nothing: they may as well have written that
    they dislike what an option is near to.
    """
    nameless = asked.kind == "numbers" or are_truth_values(asked.answers)
    if nameless or len(asked.answers) > MOST_NAMES or labels is None or not labels.counts:
        return None
    try:
        if asked.kind == "labels":
            return await _of_labels(asked, query, memory)
        return await _of_options(asked, memory) if asked.task else None
    except (TimeoutError, IndexUnavailable, ServiceError) as error:
        count_failure(error)
        return None


async def _of_labels(asked: ClosedQuestion, query: str, memory: UserMemory) -> dict[str, float]:
    split = (await memory.recaller.instructions()).split(query)
    differing = without_list(query[split.start : split.end])
    asks, *names = await memory.indexer.embedder.embed([differing, *asked.answers])
    return name_votes({y: cosine(asks, name) for y, name in zip(asked.answers, names, strict=True)})


async def _of_options(asked: ClosedQuestion, memory: UserMemory) -> dict[str, float] | None:
    nearest = {}
    for answer, text in zip(asked.answers, asked.texts, strict=True):
        scores = await memory.recaller.dense_scores(text, 1)
        if scores is None or scores.dense is None or not len(scores):
            return None
        nearest[answer] = float(scores.dense.max())
    return flattened(name_votes(nearest), nearness(max(nearest.values())))
