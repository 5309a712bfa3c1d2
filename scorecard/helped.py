"""Has what was learned helped? Asked of labels that it was not learned from, older ones too.

A label that is newer than the persona tests it in order of time. Where all labels are older, those
count that stood in no batch and behind no rule: nothing of the persona was made from them.
"""

from collections.abc import Sequence
from typing import Literal

from personaagent.core.records import Episode, Persona, Record, Rule
from personaagent.scorecard.conditions import persona_at
from personaagent.scorecard.estimate import Estimate, estimate

FEWEST = 5
"""Questions below which nothing is said to be certain."""


Verdict = Literal["nothing_learned", "not_known", "too_few", "yes", "no", "not_certain"]
VERDICT_WORDS: dict[Verdict, str] = {
    "too_few": "Too few questions to be certain",
    "yes": "Yes",
    "no": "No, it harms",
    "not_certain": "Not certain",
}


class Helped(Record):
    """The answer: ``verdict``, ``sentence``, and what they rest on.

    ``difference`` is the mean loss with the persona of now less that with the initial one, in pairs,
    over ``questions``; None without any. With the persona, ``better`` of them have got better and
    ``worse`` worse. ``newer`` of them are newer than it, ``held_out`` were looked at by the gate that
    chose it, though nothing was made from them.
    """

    verdict: Verdict = "not_known"
    sentence: str
    version: int
    questions: int = 0
    better: int = 0
    worse: int = 0
    newer: int = 0
    held_out: int = 0
    difference: Estimate | None = None


class Tested(Record):
    """The losses of one episode with the initial persona and the one of now; None: not known.

    ``part`` says how the episode stands to what was learned: it is ``newer``, was ``held_out``, had
    no part in it (``unseen``), or was ``learned`` from.
    """

    part: str
    initial: float | None
    now: float | None


def learned_rules(versions: Sequence[Persona]) -> list[Rule]:
    """The rules of the newest version that the first has not."""
    first = {rule.text for rule in versions[0].rules}
    return [rule for rule in versions[-1].rules if rule.text not in first]


def has_learned(versions: Sequence[Persona]) -> bool:
    """Whether the newest version has rules or weights that the first has not."""
    return bool(learned_rules(versions)) or versions[-1].weights != versions[0].weights


def part_of(episode: Episode, versions: Sequence[Persona]) -> str:
    """How the episode stands to the newest version: see ``Tested``."""
    pairs = [pair for each in versions if each.proof for pair in each.proof.pairs]
    batch = {pair.episode for pair in pairs if pair.part == "batch"}
    evidence = {id for rule in learned_rules(versions) for id in rule.evidence}
    if episode.id in batch | evidence:
        return "learned"
    if persona_at(episode, versions) is versions[-1]:
        return "newer"
    return "held_out" if episode.id in {pair.episode for pair in pairs} else "unseen"


def has_helped(tests: Sequence[Tested], versions: Sequence[Persona]) -> Helped:
    """The answer for the newest version, from the tests of the user's labelled episodes."""
    version = versions[-1].version
    if not has_learned(versions):
        sentence = "Nothing is learned that could have helped."
        return Helped(verdict="nothing_learned", sentence=sentence, version=version)
    differences = [
        (test.part, test.now - test.initial)
        for test in tests
        if test.part != "learned" and test.now is not None and test.initial is not None
    ]
    if not differences:
        sentence = _not_known(tests, version)
        return Helped(verdict="not_known", sentence=sentence, version=version)
    parts = [part for part, _ in differences]
    values = [difference for _, difference in differences]
    difference = estimate(values)
    helped = Helped(
        verdict=_verdict(difference, len(values)),
        sentence="",
        version=version,
        questions=len(values),
        better=sum(value < 0 for value in values),
        worse=sum(value > 0 for value in values),
        newer=parts.count("newer"),
        held_out=parts.count("held_out"),
        difference=difference,
    )
    return helped.model_copy(update={"sentence": _sentence(helped)})


def _not_known(tests: Sequence[Tested], version: int) -> str:
    learned = sum(test.part == "learned" for test in tests)
    if learned == len(tests):
        labels = "the one label" if learned == 1 else f"all {learned:,} labels"
        why = f"version {version} was learned from {labels} tested"
    else:
        why = "no answer to another question could be simulated and judged"
    return f"Has it helped? Not known yet: {why}. Correct or accept further answers, and ask again."


def _sentence(helped: Helped) -> str:
    questions = "question" if helped.questions == 1 else "questions"
    of_them = [
        f"{count} {words}"
        for count, words in (
            (helped.newer, "newer than it"),
            (helped.held_out, "used to choose it"),
        )
        if count
    ]
    among = f" ({', '.join(of_them)})" if of_them else ""
    return (
        f"Has it helped? {VERDICT_WORDS[helped.verdict]}: of {helped.questions} {questions} that version "
        f"{helped.version} was not learned from{among}, {helped.better} got better and "
        f"{helped.worse} worse than with the initial persona."
    )


def _verdict(difference: Estimate, questions: int) -> Verdict:
    if questions < FEWEST:
        return "too_few"
    if difference.high < 0:
        return "yes"
    return "no" if difference.low > 0 else "not_certain"
