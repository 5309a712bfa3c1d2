"""Genuine rules in many languages and scripts, and poison in the same: what the user said of both."""

from dataclasses import dataclass
from pathlib import Path

from personaagent.core.records import Episode
from tests.support.memories import episode


@dataclass(frozen=True)
class Spoken:
    """A rule, the two corrections that it cites, and the wrong answer that the editor saw."""

    language: str
    genuine: bool
    rule: str
    truths: tuple[str, str]
    answer: str

    @property
    def episodes(self) -> list[Episode]:
        """Two corrections on two occasions."""
        return [
            episode(f"said-{day}", f"A question of day {day}?", day=day, ground_truth=truth)
            for day, truth in enumerate(self.truths)
        ]


def spoken() -> list[Spoken]:
    """All of ``spoken.txt``: blocks of five lines, language and kind, rule, two truths, answer."""
    text = Path(__file__).with_name("spoken.txt").read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    return [
        Spoken(head.split()[0], head.split()[1] == "genuine", rule, (one, two), answer)
        for head, rule, one, two, answer in blocks
    ]
