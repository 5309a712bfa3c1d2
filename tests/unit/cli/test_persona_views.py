"""What a persona looks like on the terminal."""

from rich.console import Console, RenderableType

from personaagent.cli.persona_views import difference_view, persona_view
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
        "locked; from 20 of your labels"
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
