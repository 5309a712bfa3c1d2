"""What a persona looks like on the terminal."""

from rich.console import Console, RenderableType

from personaagent.cli.alignment_views import alignment_view, proposal_view
from personaagent.cli.persona_views import difference_view, persona_view
from personaagent.core.alignment import Alignment, Proposal
from personaagent.core.records import RoleUsage
from personaagent.core.weights import Weights
from personaagent.memory.persona_edits import difference
from personaagent.memory.personas import initial_persona

RATINGS = Weights(task="rating", model=2.5, offset=0.4, labels=20, locked=True)


def lines(view: RenderableType) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(view)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_version_shows_its_weights_after_its_rules() -> None:
    persona = initial_persona().model_copy(update={"weights": [RATINGS]})
    assert lines(persona_view(persona))[-1] == (
        "weights:rating  history 1, model 2.5, names 0; numbers +0.4  "
        "(locked; from 20 of your labels)"
    )
    assert not any("weights" in line for line in lines(persona_view(initial_persona())))


def test_a_difference_shows_the_weights_that_changed() -> None:
    before = initial_persona()
    after = before.model_copy(update={"version": 2, "weights": [RATINGS]})
    [added] = lines(difference_view(difference(before, after)))
    assert added.startswith("+ weights:rating  history 1")
    changed = after.model_copy(update={"weights": [RATINGS.model_copy(update={"model": 1.0})]})
    signs = [line[0] for line in lines(difference_view(difference(after, changed)))]
    assert signs == ["-", "+"]


def aligned(to_version: int) -> Alignment:
    """The result of a run that changed no rule, but weights."""
    rules = initial_persona().rules
    counts = RoleUsage().stored()
    return Alignment(
        user_id="anna",
        mode="gated",
        rounds=[],
        from_version=1,
        to_version=to_version,
        stopped_by="rounds",
        rules_before=rules,
        rules_after=rules,
        weights_after=[RATINGS],
        usage=counts | {"gate": counts, "cached": 0},
        seconds=1.0,
    )


def test_an_alignment_that_changed_only_weights_shows_them() -> None:
    shown = lines(alignment_view(aligned(2), [], dry_run=False))
    assert shown[0] == "Version 1 -> 2"
    assert any(line.startswith("+ weights:rating") for line in shown)
    dry = lines(alignment_view(aligned(1), [], dry_run=True))
    assert dry[0].startswith("Nothing was published (dry run)")
    assert any(line.startswith("+ weights:rating") for line in dry)


def test_a_proposal_shows_the_weights_that_would_change() -> None:
    rules = initial_persona().rules
    proposal = Proposal(
        from_version=1,
        changes=[],
        rules_before=rules,
        rules_after=rules,
        weights_after=[RATINGS],
        pairs=[],
    )
    shown = lines(proposal_view(proposal.stored()))
    assert any(line.startswith("+ weights:rating") for line in shown)
