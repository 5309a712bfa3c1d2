"""Texts cut to a length."""

import pytest

from personaagent.core.text import shorten, shorten_middle


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("All of it.", 10, "All of it."),
        ("One one one. Two two two. Three", 30, "One one one. Two two two. …"),
        ("One one one! Two two two two two", 20, "One one one! …"),
        ("Short. But then a very long sentence", 25, "Short. But then a very …"),
        ("unbroken" * 5, 20, "unbrokenunbrokenun …"),
    ],
)
def test_shorten(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
    assert len(short) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("All of it.", 10, "All of it."),
        ("Which tag fits? Just the tag. About: a shark.", 30, "Which … About: a shark."),
        ("unbroken" * 5, 20, "unbro … okenunbroken"),
    ],
)
def test_a_question_keeps_its_beginning_and_its_end(text: str, limit: int, short: str) -> None:
    assert shorten_middle(text, limit) == short
    assert len(short) <= limit
