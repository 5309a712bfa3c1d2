"""How the result of an alignment looks on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from personaagent.cli.alignment_progress import loss_text
from personaagent.cli.output import one_line, printable
from personaagent.cli.persona_views import difference_view
from personaagent.cli.tables import listing
from personaagent.core.alignment import Alignment, Proposal, RuleChange, StoppedBy, learned_sentence
from personaagent.core.counting import counted
from personaagent.core.ids import SHORT_CHARS, short_id
from personaagent.core.records import Episode, Pair, Persona, Proof, Rule
from personaagent.core.weights import Weights
from personaagent.memory.persona_edits import Difference, difference

Split = Literal["batch", "holdout"]
SPLIT_NAMES: dict[Split, str] = {"batch": "batch", "holdout": "held out"}
STOP_REASONS: dict[StoppedBy, str] = {
    "no loss": "no loss is left in the batch",
    "no improvement": "no edit was accepted in two rounds",
    "rounds": "all rounds were used",
    "calls": "the limit of model calls was reached",
    "tokens": "the limit of tokens was reached",
    "seconds": "the limit of seconds was reached",
    "price": "the limit of the price was reached",
    "labels": "there are too few labels",
    "conflict": "the persona was changed in the meantime",
}


def alignment_view(result: Alignment, episodes: Sequence[Episode], dry_run: bool) -> RenderableType:
    """What was published, the losses before and after, what changed, and the cost."""
    return Group(
        Text(_outcome(result, dry_run), "bold"),
        *_learned_view(result),
        _losses_view(result, episodes),
        difference_view(_persona_difference(result)) if _changed(result) else "",
        *(Text(f"not taken: {printable(refused)}", "dim") for refused in result.refused),
        Text(f"Stopped because {STOP_REASONS[result.stopped_by]}; {_usage(result)}.", "dim"),
    )


def _learned_view(result: Alignment) -> list[Text]:
    if result.to_version == result.from_version:
        return []
    return [Text(printable(learned_sentence(result)))]


def _losses_view(result: Alignment, episodes: Sequence[Episode]) -> RenderableType:
    if not result.rounds:
        return Text("(nothing was tried)", "dim")
    return pairs_view(result.pairs, {episode.id: episode.query for episode in episodes})


def proposal_view(question: dict[str, Any]) -> RenderableType:
    """What an alignment would publish: rules with their evidence and weights, and how they
    would change the answers to the user's own questions."""
    proposal = Proposal.model_validate(question)
    version = proposal.from_version
    change = difference(
        _draft(version, proposal.rules_before, proposal.weights_before),
        _draft(version + 1, proposal.rules_after, proposal.weights_after),
    )
    queries = {pair.episode: pair.query for pair in proposal.pairs}
    return Group(
        Text(printable(proposal.problem), "red") if proposal.problem else "",
        difference_view(change),
        *map(_evidence_view, proposal.changes),
        pairs_view(proposal.pairs, queries, answers=True),
    )


def _evidence_view(change: RuleChange) -> RenderableType:
    return listing(
        [
            (
                Text.assemble((f"{change.rule}  ", "bold"), (short_id(episode.episode), "cyan")),
                Text.assemble(
                    one_line(episode.query), (f"\nyou wanted: {one_line(episode.wanted)}", "dim")
                ),
            )
            for episode in change.evidence
        ]
    )


def pairs_view(
    pairs: Sequence[Pair], queries: Mapping[str, str], *, answers: bool = False
) -> RenderableType:
    """The mean losses before and after, then the losses of each episode.

    Args:
        pairs: the losses of each episode.
        queries: the query of each episode, by its id; an episode without one is left out.
        answers: also show the answers before and after, where they are still known.
    """
    items: list[tuple[Text, Text]] = []
    for split, (before, after) in _mean_losses(pairs).items():
        count = sum(pair.part == split for pair in pairs)
        description = Text(f"mean of {counted(count, 'episode')}", "dim")
        items.append((_labelled(SPLIT_NAMES[split], "bold", before, after), description))
    for pair in pairs:
        if pair.episode in queries:
            label = _labelled(short_id(pair.episode), "cyan", pair.before, pair.after)
            items.append((label, _pair_text(pair, queries[pair.episode], answers)))
    return listing(items) if pairs else Text("(nothing better was found)", "dim")


def _labelled(name: str, style: str, before: float | None, after: float | None) -> Text:
    """The name, as wide as a short id, and how the loss changed."""
    return Text.assemble((f"{name:{SHORT_CHARS}}  ", style), _loss_change(before, after))


def _pair_text(pair: Pair, query: str, answers: bool) -> Text:
    text = Text.assemble(one_line(query), (f"  {SPLIT_NAMES[pair.part]}", "dim"))
    if answers and pair.after_answer:
        text.append(f"\nbefore: {one_line(pair.before_answer)}", "dim")
        text.append(f"\nafter: {one_line(pair.after_answer)}")
    return text


def _outcome(result: Alignment, dry_run: bool) -> str:
    if result.to_version != result.from_version:
        return f"Version {result.from_version} -> {result.to_version}"
    if not _changed(result):
        return f"Version {result.from_version} stays as it is."
    reason = " (dry run)" if dry_run else ""
    return f"Nothing was published{reason}: version {result.from_version} stays as it is."


def _changed(result: Alignment) -> bool:
    """Whether rules or weights are not what they were."""
    before = (result.rules_before, result.weights_before)
    return before != (result.rules_after, result.weights_after)


def _persona_difference(result: Alignment) -> Difference:
    return difference(
        _draft(result.from_version, result.rules_before, result.weights_before),
        _draft(result.to_version, result.rules_after, result.weights_after),
    )


def _draft(version: int, rules: list[Rule], weights: list[Weights]) -> Persona:
    return Persona(version=version, rules=rules, weights=weights, author="alignment")


def _usage(result: Alignment) -> str:
    usage = result.usage
    calls = counted(usage["llm_calls"], "model call")
    return printable(
        f"{calls} ({usage['gate']['llm_calls']:,} of them in the gate), "
        f"{counted(usage['input_tokens'], 'token')} read, {usage['output_tokens']:,} written, "
        f"{counted(usage['cached'], 'simulation')} from the cache, {result.seconds:.1f} s"
    )


def _loss_change(before: float | None, after: float | None) -> Text:
    better = before is not None and after is not None and after < before
    worse = before is not None and after is not None and after > before
    style = "green" if better else "red" if worse else ""
    return Text(f"{loss_text(before)} -> {loss_text(after)}", style)


def _mean_losses(pairs: Sequence[Pair]) -> dict[Split, tuple[float, float]]:
    proof = Proof(run="", mode="", pairs=list(pairs))
    mean_losses: dict[Split, tuple[float, float]] = {}
    for split in SPLIT_NAMES:
        losses = proof.losses(split)
        if losses is not None:
            mean_losses[split] = losses
    return mean_losses
