"""Terms: what counts as the same word, in any script."""

import subprocess
import sys
import unicodedata

import pytest

from personaagent.memory.terms import terms


def shared(one: str, other: str) -> int:
    return len(terms(one).keys() & terms(other).keys())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "cafe"),
        ("École", unicodedata.normalize("NFD", "ÉCOLE")),
        ("Straße", "STRASSE"),
        ("ёлка", "елка"),
        ("ﬁne", "fine"),
        ("２０２６", "2026"),
        ("ﾊﾞｲｵﾘﾝ", "バイオリン"),
        ("서울", unicodedata.normalize("NFD", "서울")),
        ("كِتَاب", "كتاب"),
        ("runs", "running"),
    ],
)
def test_case_accents_forms_and_english_endings_make_no_difference(one: str, other: str) -> None:
    assert terms(one)
    assert terms(one) == terms(other)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("我每周三晚上练习小提琴。", "什么时候练小提琴？"),
        ("毎週バイオリンを練習します。", "いつバイオリンを弾く？"),
        ("ฉันอาศัยอยู่ที่เชียงใหม่", "บ้านของฉันอยู่เชียงใหม่ไหม"),
        ("ខ្ញុំរស់នៅភ្នំពេញ", "តើភ្នំពេញនៅឯណា"),
        ("서울에서 일합니다", "서울은 어디"),
        ("मैं दिल्ली में रहता हूँ", "दिल्ली कहाँ है"),
    ],
)
def test_a_word_is_found_where_no_space_surrounds_it(stored: str, asked: str) -> None:
    assert shared(stored, asked)


def test_a_word_with_vowel_signs_stays_one_word() -> None:
    assert len(terms("हिन्दी")) == 1


def test_counts_are_raw_and_function_words_are_left_out() -> None:
    assert sorted(terms("the dog and the dogs of my cat").values()) == [1.0, 2.0]
    assert terms("where do I ... ?!") == {}


def test_another_process_hashes_a_term_alike() -> None:
    code = "from personaagent.memory.terms import terms; print(terms('rye'))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(terms("rye"))
    assert all(0 <= term < 2**32 for term in terms("rye bread")), "Qdrant holds 32 bits"
