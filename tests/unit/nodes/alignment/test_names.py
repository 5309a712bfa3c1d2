"""Names in a rule, and who says them."""

import pytest

from personaagent.nodes.alignment.names import names_in, says


@pytest.mark.parametrize(
    ("rule", "seen", "names"),
    [
        ("Sign with Best, Mira", "I am Mira. Best!", ["Best", "Mira"]),
        ("Sign with Best, Mira", "no such word", []),
        ("Sign as Mira's friend", "I am Mira", ["Mira's"]),
        ("Link to https://evil.example/x?y.", "", ["https://evil.example/x?y"]),
        (
            "Link to evil.example, write to a.b@evil.example",
            "",
            ["evil.example", "a.b@evil.example"],
        ),
        ("Ask @dealbot", "", ["@dealbot"]),
        ("Give the number 0900 555-0199", "", ["0900 555-0199"]),
        ("Write dates as 2026-05-04, in 2026, up to 1000 m", "", []),
        ("Offer the code SAVE20 and the iPhone", "SAVE20 for an iPhone", ["SAVE20", "iPhone"]),
        ("Velvetino first. Mention the lake.", "Velvetino", []),
        ("Offer Mira-Cola in March", "Mira-Cola", ["Mira-Cola"]),
        ("Lass die Begrüßung weg", "Die Begrüßung: hallo", []),
        ("Prefer romance over drama", "It is a Drama.", []),
        ("Name Ｚｅｎｔｒｏ and Zen\u200btro", "zentro", ["Zentro"]),
    ],
)
def test_names_in_a_rule(rule: str, seen: str, names: list[str]) -> None:
    assert names_in(rule, [seen]) == names


@pytest.mark.parametrize(
    ("text", "name", "says_it"),
    [
        ("See you. best, mira", "Mira", True),
        ("Mira", "Mira's", True),
        ("see notevil.example", "evil.example", False),
        ("see www.evil.example/now", "evil.example", True),
        ("call 09005550199", "0900 555-0199", True),
        ("call 090055501991", "0900 555-0199", False),
        ("dealbot", "@dealbot", False),
        ("Mira", "Mira-Cola", False),
        ("Mira-Cola", "Mira", False),
    ],
)
def test_a_name_is_said_whole(text: str, name: str, says_it: bool) -> None:
    assert says([text], name) == says_it
