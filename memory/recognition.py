"""Which task a query belongs to, by its label or by the instruction that it shares with others."""

from typing import NamedTuple

from personaagent.memory.instructions import Split
from personaagent.memory.label_counts import LabelCounts, count_labels
from personaagent.memory.recall import Recall


class Recognised(NamedTuple):
    """The task of a query.

    ``task`` is its label, None if it has none. ``instruction`` is what the query shares with others,
    empty if nothing. ``labels`` are those of the queries without a task that share it: they are a
    task too; None for a task with a label, whose labels the profile counts, and for no task.
    """

    task: str | None
    instruction: str
    labels: LabelCounts | None = None


async def recognise(recaller: Recall, query: str, task: str | None) -> Recognised:
    """The task of ``query``, whose label is ``task``: without one, that of its instruction.

    The labels of a task without a label are those of at most ``EARLIEST + LATEST`` of its queries.
    """
    split = (await recaller.instructions()).split(query)
    task = task or split.task
    if task is not None or not split.instruction:
        return Recognised(task, split.instruction)
    return Recognised(None, split.instruction, await _labels(recaller, split))


async def _labels(recaller: Recall, split: Split) -> LabelCounts:
    sharing = [each.sharing for each in (split.leading, split.trailing) if each is not None]
    ids = dict.fromkeys(seen.id for each in sharing for seen in each)
    found = await recaller.episodes.find([*ids])
    hidden = await recaller.hidden_now()
    counts = count_labels(each for each in found if not hidden.hides(each))
    none = LabelCounts(task=None, counts={}, latest=[])
    return next((each for each in counts if each.task is None), none)
