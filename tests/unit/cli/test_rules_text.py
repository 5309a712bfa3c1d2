"""A persona as text to be edited, and the difference of two versions."""

import pytest

from personaagent.cli.rules_text import rules_to_text, text_to_rules
from personaagent.core.errors import UsageError
from personaagent.core.records import Persona, Rule
from personaagent.memory.persona_edits import difference, note_of, with_changes

BRIEF = Rule(id="r1", text="Be brief.", evidence=["e1", "e2"])
METRIC = Rule(id="r2", text="Use metric units.", evidence=["e3"], locked=True)
PERSONA = Persona(version=4, rules=[BRIEF, METRIC], author="alignment")


def edited(old: str, new: str) -> list[Rule]:
    text = rules_to_text(PERSONA, "ann")
    assert old in text
    return text_to_rules(text.replace(old, new), PERSONA, "r7")


def test_text_that_was_not_edited_gives_the_same_rules() -> None:
    assert text_to_rules(rules_to_text(PERSONA, "ann"), PERSONA, "r7") == PERSONA.rules


def test_a_line_that_is_gone_takes_its_rule_out() -> None:
    assert edited("- [r1] Be brief.\n", "") == [METRIC]


def test_lines_without_an_id_are_new_rules_of_the_user_and_rest_on_no_episode() -> None:
    rules = edited("- [r1]", "- Say you.\n* And please.\n- [r1]")
    assert rules == [
        Rule(id="r7", text="Say you."),
        Rule(id="r8", text="And please."),
        BRIEF,
        METRIC,
    ]


def test_a_text_of_the_users_own_loses_the_evidence_of_the_old_one_and_keeps_its_lock() -> None:
    assert edited("Use metric units.", "Use feet.")[1] == Rule(
        id="r2", text="Use feet.", locked=True
    )


def test_the_mark_locked_can_be_taken_away_and_given() -> None:
    assert edited("[r2, locked]", "[r2]")[1] == METRIC.model_copy(update={"locked": False})
    assert edited("[r1]", "[r1, locked]")[0] == BRIEF.model_copy(update={"locked": True})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- [r1]", "[r1]", "Line 5 is not a rule"),
        ("[r1]", "[r9]", "no rule 'r9'"),
        ("[r1]", "[r2]", "'r2' is listed twice"),
        ("Be brief.", "", "text of a rule is empty"),
        ("Be brief.", "b" * 1001, "1,001 characters"),
        ("Be brief.", "Be \x1b[1mbold.", "control character"),
    ],
)
def test_what_is_no_rule_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("[", r"\[")):
        edited(old, new)


def test_changes_by_options() -> None:
    rules = with_changes(
        PERSONA, "r7", added=["Say you."], replaced=[("r2", "Use feet.")], removed=["r1"]
    )
    assert rules == [
        Rule(id="r2", text="Use feet.", locked=True),
        Rule(id="r7", text="Say you."),
    ]
    with pytest.raises(UsageError, match="no rule 'r5'"):
        with_changes(PERSONA, "r7", added=[], replaced=[], removed=["r5"])


def test_difference_by_rule() -> None:
    feet = METRIC.model_copy(update={"text": "Use feet."})
    new = Rule(id="r3", text="Say you.")
    change = difference(PERSONA, Persona(version=5, rules=[feet, new], author="user"))
    assert (change.before, change.after) == (4, 5)
    assert (change.added, change.removed) == ([new], [BRIEF])
    assert [(each.before, each.after) for each in change.changed] == [(METRIC, feet)]
    assert note_of(change) == "add r3; change r2; remove r1"
