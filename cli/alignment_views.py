"""How the result of an alignment looks on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personaagent.cli.alignment_progress import loss_text
from personaagent.cli.output import printable
from personaagent.cli.render import difference_view, one_line
from personaagent.core.alignment import Alignment, Proposal, RuleChange, StoppedBy
from personaagent.core.records import Episode, Pair, Persona, Proof, Rule
from personaagent.memory.rules import Difference, difference

Part = Literal["batch", "holdout"]
PARTS: dict[Part, str] = {"batch": "batch", "holdout": "held out"}
ENDED: dict[StoppedBy, str] = {
    "no loss": "no loss is left in the batch",
    "no improvement": "no edit was accepted in two rounds",
    "rounds": "all rounds were done",
    "calls": "the limit of model calls was reached",
    "tokens": "the limit of tokens was reached",
    "seconds": "the limit of seconds was reached",
    "price": "the limit of the price was reached",
    "labels": "there are too few labels",
    "conflict": "the persona was changed meanwhile",
}


def alignment_view(result: Alignment, episodes: Sequence[Episode], dry_run: bool) -> RenderableType:
    """What was published, the losses before and after, the rules that changed, and the cost."""
    return Group(
        Text(_outcome(result, dry_run), "bold"),
        _proved(result, episodes),
        difference_view(_changed(result)) if result.rules_after != result.rules_before else "",
        Text(f"Ended since {ENDED[result.stopped_by]}; {_usage(result)}.", "dim"),
    )


def _proved(result: Alignment, episodes: Sequence[Episode]) -> RenderableType:
    if not result.rounds:
        return Text("(nothing was tried)", "dim")
    return pairs_view(result.pairs, {each.id: each.query for each in episodes})


def proposal_view(question: dict[str, Any]) -> RenderableType:
    """What an alignment would publish: the rules that change and what they rest on, and what it
    would have done to the user's own questions."""
    proposal = Proposal.model_validate(question)
    version = proposal.from_version
    changed = _difference(proposal.rules_before, proposal.rules_after, version, version + 1)
    queries = {pair.episode: pair.query for pair in proposal.pairs}
    return Group(
        Text(printable(proposal.problem), "red") if proposal.problem else "",
        difference_view(changed),
        *map(_evidence_view, proposal.changes),
        pairs_view(proposal.pairs, queries, answers=True),
    )


def _evidence_view(change: RuleChange) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for each in change.evidence:
        wanted = f"\nyou wanted: {one_line(each.wanted)}"
        about = Text.assemble(one_line(each.query), (wanted, "dim"))
        table.add_row(Text(change.rule, "bold"), Text(each.episode, "cyan"), about)
    return table


def pairs_view(
    pairs: Sequence[Pair], queries: Mapping[str, str], *, answers: bool = False
) -> RenderableType:
    """The mean losses before and after, and below them each episode's, with its question by its id.

    ``answers``: and with what was answered before and after, where that is still known.
    """
    table = Table.grid(padding=(0, 2))
    for part, (before, after) in _means(pairs).items():
        count = sum(pair.part == part for pair in pairs)
        about = Text(f"mean of {count} episodes", "dim")
        table.add_row(Text(PARTS[part], "bold"), _loss(before, after), about)
    for pair in pairs:
        if pair.episode in queries:
            about = Text.assemble(one_line(queries[pair.episode]), (f"  {PARTS[pair.part]}", "dim"))
            if answers and pair.after_answer:
                about.append(f"\nbefore: {one_line(pair.before_answer)}", "dim")
                about.append(f"\nafter: {one_line(pair.after_answer)}")
            table.add_row(Text(pair.episode, "cyan"), _loss(pair.before, pair.after), about)
    return table if pairs else Text("(nothing better was found)", "dim")


def losses_text(pairs: Sequence[Pair]) -> str:
    """The mean losses before and after, in one line."""
    shown = [
        f"{PARTS[part]} {before:.2f} -> {after:.2f}"
        for part, (before, after) in _means(pairs).items()
    ]
    return ", ".join(shown) or "not proved"


def _outcome(result: Alignment, dry_run: bool) -> str:
    if result.to_version != result.from_version:
        return f"Version {result.from_version} -> {result.to_version}"
    if result.rules_after == result.rules_before:
        return f"Version {result.from_version} stays as it is."
    reason = " (dry run)" if dry_run else ""
    return f"Nothing was published{reason}: version {result.from_version} stays as it is."


def _changed(result: Alignment) -> Difference:
    return _difference(
        result.rules_before, result.rules_after, result.from_version, result.to_version
    )


def _difference(
    before: list[Rule], after: list[Rule], from_version: int, to_version: int
) -> Difference:
    return difference(
        Persona(version=from_version, rules=before, author="alignment"),
        Persona(version=to_version, rules=after, author="alignment"),
    )


def _usage(result: Alignment) -> str:
    usage = result.usage
    return printable(
        f"{usage['llm_calls']:,} model calls ({usage['gate']['llm_calls']:,} of them to prove), "
        f"{usage['input_tokens']:,} tokens read, {usage['output_tokens']:,} written, "
        f"{usage['cached']:,} simulations not paid for again, {result.seconds:.1f} s"
    )


def _loss(before: float | None, after: float | None) -> Text:
    better = before is not None and after is not None and after < before
    worse = before is not None and after is not None and after > before
    style = "green" if better else "red" if worse else ""
    return Text(f"{loss_text(before)} -> {loss_text(after)}", style)


def _means(pairs: Sequence[Pair]) -> dict[Part, tuple[float, float]]:
    proof = Proof(run="", mode="", pairs=list(pairs))
    means = {part: proof.losses(part) for part in PARTS}
    return {part: losses for part, losses in means.items() if losses is not None}
