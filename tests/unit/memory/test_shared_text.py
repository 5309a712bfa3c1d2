"""The words that texts share at one side."""

from personaagent.memory.shared_text import MOST_WORDS, Side, Words, groups

TAGS = "Which tag suits this film? Answer with one word. film: "
FILMS = ["A robot finds love.", "Two thieves plan a heist.", "A ship sinks.", "Spies meet in Bonn."]


def shared(texts: list[str], side: Side = "leading", least: int = 3) -> list[str]:
    words = [Words(text, side) for text in texts]
    return [words[group.members[0]].first(group.words) for group in groups(words, least)]


def test_texts_share_what_they_begin_with_and_not_what_few_of_them_add() -> None:
    assert shared([TAGS + film for film in FILMS]) == [TAGS.strip()]


def test_texts_share_what_they_end_with() -> None:
    ending = "Translate this into German, in a formal tone."
    texts = [f"{film} {ending}" for film in FILMS]
    assert shared(texts, "trailing") == [ending]
    assert shared(texts) == []


def test_two_instructions_that_begin_alike_are_told_apart() -> None:
    other = "Which tag suits this film? Answer with all that apply, in any order. film: "
    texts = [TAGS + film for film in FILMS] + [other + film for film in FILMS]
    assert sorted(shared(texts)) == sorted([TAGS.strip(), other.strip()])


def test_few_words_or_few_texts_share_nothing() -> None:
    assert shared([f"Tell me a bit about {film}" for film in FILMS]) == []
    assert shared([TAGS + film for film in FILMS[:2]]) == []
    assert shared([TAGS + film for film in FILMS[:2]], least=2) == [TAGS.strip()]


def test_something_must_differ() -> None:
    assert shared([TAGS] * 3) == [TAGS.rpartition(" film:")[0]]


def test_case_and_spaces_do_not_matter_and_other_scripts_have_words_too() -> None:
    assert shared([TAGS + FILMS[0], TAGS.upper() + FILMS[1], TAGS.replace(" ", "\n") + FILMS[2]])
    chinese = "请把下面这段话翻译成正式的德语："
    assert shared([chinese + text for text in ("今天天气好", "我想吃苹果", "火车晚点了")])


def test_a_document_that_several_questions_are_about_is_no_instruction() -> None:
    for length, is_instruction in ((MOST_WORDS, True), (MOST_WORDS + 1, False)):
        document = " ".join(f"word{number}" for number in range(length))
        questions = [f"{document} {film}" for film in FILMS]
        assert shared(questions) == ([document] if is_instruction else [])
