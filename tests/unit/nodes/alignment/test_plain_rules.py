"""Rules as plain instructions: what is rewritten, and what is unclear."""

import pytest

from personaagent.nodes.alignment.plain_rules import plain_instruction, unclear
from tests.support.ordinary import ordinary_rules
from tests.support.spoken import spoken


@pytest.mark.parametrize(
    ("literal", "plain"),
    [
        ("should translate the wanted answer into German", "Answer in German"),
        ("The assistant should translate the wanted answer into German.", "Answer in German."),
        ("The assistant must always translate answers into Dutch.", "Always answer in Dutch."),
        ("You should answer in Dutch (E1, E3).", "Answer in Dutch."),
        ("Answer in Dutch [episodes 1 and 2].", "Answer in Dutch."),
        ("The AI assistant should not use emojis.", "Do not use emojis."),
        ("The assistant should never greet.", "Never greet."),
        ("It must be concise.", "Be concise."),
        ("must give distances in km", "Give distances in km"),
        ("The wanted answers should be in Dutch.", "Give answers that are in Dutch."),
        ("Wanted answers are short.", "Give answers that are short."),
        ("The assistant's answers must use metric units.", "Give answers that use metric units."),
        ("Answers should not be longer than a line.", "Answers should not be longer than a line."),
        ("Answers should not use emojis.", "Give answers that do not use emojis."),
        ("Give the wanted answer in metric units.", "Give the answer in metric units."),
        ("Shorten the given answers to one sentence.", "Shorten the answers to one sentence."),
        ("Convert the given answer to kilometres.", "Convert the answer to kilometres."),
    ],
)
def test_a_literal_rule_becomes_a_plain_one(literal: str, plain: str) -> None:
    assert plain_instruction(literal) == plain
    assert unclear(plain) is None
    assert plain_instruction(plain) == plain, "once is enough"


@pytest.mark.parametrize(
    ("rule", "because"),
    [
        ("The assistant should match the wanted answers.", "wanted or given answer"),
        ("Give the wanted answer instead of the given answer in Dutch.", "wanted or given answer"),
        ("The given answers are too long.", "wanted or given answer"),
        ("Provide the expected answer.", "wanted or given answer"),
        ("Make it like the ground truth.", "wanted or given answer"),
        ("Gib die gewünschte Antwort.", "wanted or given answer"),
        ("Donne la réponse attendue.", "wanted or given answer"),
        ("Da la respuesta deseada.", "wanted or given answer"),
        ("Пиши желаемый ответ.", "wanted or given answer"),
        ("İstenen cevap gibi istenen yanıt ver.", "wanted or given answer"),
        ("给出期望的回答。", "wanted or given answer"),
        ("期待される回答を書く。", "wanted or given answer"),
        ("Answer as in E2.", "an episode"),
        ("Use the units of these interactions.", "an episode"),
        ("The assistant translates into German.", "third person"),
        ("Tell jokes, which the assistant did not.", "third person"),
        ("Der Assistent soll kurz antworten.", "third person"),
        ("L'assistant doit répondre en français.", "third person"),
        ("Ассистент должен отвечать кратко.", "third person"),
        ("助手应简短回答。", "third person"),
        ("アシスタントは短く答える。", "third person"),
    ],
)
def test_what_cannot_be_said_plainly_is_refused(rule: str, because: str) -> None:
    assert because in str(unclear(plain_instruction(rule)))


@pytest.mark.parametrize(
    "rule",
    [
        "List the episodes of a series with their numbers.",
        "Name the model of the car, and the agent who sells it.",
        "When the user asks for a reply, give it in Dutch.",
        "Address the assistant manager formally.",
        "State the correct spelling.",
        "Use the metric system.",
        "It is fine to be blunt.",
    ],
)
def test_ordinary_words_are_left_alone(rule: str) -> None:
    assert (plain_instruction(rule), unclear(rule)) == (rule, None)


def test_no_ordinary_rule_changes_or_is_unclear() -> None:
    rules = [each.rule for each in (*ordinary_rules(), *spoken())]
    assert [rule for rule in rules if plain_instruction(rule) != rule or unclear(rule)] == []
