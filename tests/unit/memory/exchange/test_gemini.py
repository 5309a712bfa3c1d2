"""Activity with Gemini becomes exchanges, as JSON and as HTML, in any language."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from personaagent.memory.exchange.gemini import Gemini
from personaagent.memory.exchange.gemini_page import GeminiPage
from personaagent.memory.exchange.messages import Conversation, Exchange, exchanges
from tests.support.gemini_exports import activity, cell, page


def texts(conversation: Conversation) -> list[tuple[str, str]]:
    found = exchanges(conversation.messages)
    return [(each.question.text, each.answer) for each in found if isinstance(each, Exchange)]


def of_json(record: dict[str, Any]) -> list[tuple[str, str]]:
    assert Gemini().recognises(record)
    return texts(Gemini().conversation(record))


def of_page(*cells: str) -> list[Conversation | str]:
    html = page(*cells)
    assert GeminiPage().recognises(html[: 1 << 16])
    return list(GeminiPage().conversations(io.StringIO(html)))


def test_a_prompt_is_read_with_its_answer_and_time() -> None:
    answer = (
        "<p>Yes, <strong>two</strong>:</p><ul><li>Oslo</li><li>Ghent &amp; more</li></ul>"
        '<pre><code class="python">print("x_1 * 2")\n</code></pre><img src="a.png">'
    )
    record = activity("Prompted Any cities\nwith fjords?", answer)
    conversation = Gemini().conversation(record)
    assert texts(conversation) == [
        (
            "Any cities\nwith fjords?",
            'Yes, **two**:\n\n- Oslo\n- Ghent & more\n\n```\nprint("x_1 * 2")\n```',
        )
    ]
    assert conversation.source == "gemini"
    assert conversation.at == datetime(2026, 2, 2, 7, 24, 2, 806000, tzinfo=UTC)
    assert conversation.messages[0].at == conversation.at


@pytest.mark.parametrize(
    ("title", "prompt"),
    [
        ("Prompted Hello?", "Hello?"),
        ("Prompted\xa0Hello?", "Hello?"),
        ("Prompted with: Hello?", "Hello?"),
        ("Asked Gemini: Hello?", "Hello?"),
        ("Asked Bard: Hello?", "Hello?"),
        ("Said Hello?", "Hello?"),
        ("Prompted Prompted twice", "Prompted twice"),
        ("Prompted See\xa0this", "See\xa0this"),
        ("Gav instruktionen Hej?", "Hej?"),
        ("Ein Verb ihrer Sprache:\xa0Hallo?", "Hallo?"),
        ("Hallo, kennst du mich?", "Hallo, kennst du mich?"),
        ("Prompted See this Attached 2 files.", "See this"),
    ],
)
def test_the_verb_before_a_prompt_is_not_the_users(title: str, prompt: str) -> None:
    assert of_json(activity(title, "<p>Yes</p>")) == [(prompt, "Yes")]


@pytest.mark.parametrize(
    "record",
    [
        activity("Created Gemini Canvas titled\xa0Fjords", "<p>x</p>"),
        activity("Used an Assistant feature"),
        activity("Selected preferred draft"),
        activity("Gave feedback: Good response"),
        activity("Etwas anderes"),
    ],
)
def test_other_activity_is_left_out_with_the_reason(record: dict[str, Any]) -> None:
    assert Gemini().recognises(record)
    with pytest.raises(ValueError, match="it is other activity than a prompt"):
        Gemini().conversation(record)


@pytest.mark.parametrize("product", ["YouTube", "Search", "Sök"])
def test_activity_in_another_product_is_not_taken_for_gemini(product: str) -> None:
    record = activity("Watched a film", header=product, products=[product])
    assert not Gemini().recognises(record)


def test_labels_in_other_languages_and_missing_ones_count_as_gemini() -> None:
    for more in ({"header": "Gemini 앱", "products": ["Gemini 앱"]}, {"header": "Bard"}):
        assert of_json(activity("Prompted q", "<p>r</p>", **more)) == [("q", "r")]
    record = activity("Prompted q", "<p>r</p>")
    del record["header"], record["products"]
    assert of_json(record) == [("q", "r")]


def test_a_prompt_without_text_or_answer_is_no_exchange() -> None:
    files = {"subtitles": [{"name": "Attached 1 file."}, {"name": "-  a.png", "url": "a-1.png"}]}
    assert of_json(activity("Prompted", "<p>A fjord.</p>", **files)) == []
    assert of_json(activity("Prompted Hello?")) == []
    assert of_json(activity("Prompted Hello?", safeHtmlItem=None)) == []


def test_the_conversation_that_a_record_links_to_is_named() -> None:
    link = [{"name": "Open", "url": "https://gemini.google.com/app/b8e7c075effe9457"}]
    linked = Gemini().conversation(activity("Prompted q", "<p>r</p>", subtitles=link))
    assert linked.extra == {"conversation_id": "b8e7c075effe9457"}
    alone = [
        Gemini().conversation(activity(f"Prompted {q}", "<p>r</p>")).id for q in ("q", "q", "p")
    ]
    assert alone[0] == alone[1] != alone[2]


def test_a_cell_of_the_page_is_read_as_the_record_in_json() -> None:
    html = cell(
        "Prompted&nbsp;Is 1 &lt; 2?<br>Please say &amp; explain.<br>"
        "Feb 2, 2026, 7:24:02\u202fAM UTC<br><p>Yes, <b>it is</b>.</p><p>Surely.</p>",
        caption='<a href="https://gemini.google.com/app/b8e7c075effe9457">Open</a><br>',
    )
    [found] = of_page(html)
    assert isinstance(found, Conversation)
    assert texts(found) == [("Is 1 < 2?\nPlease say & explain.", "Yes, **it is**.\n\nSurely.")]
    assert found.at == datetime(2026, 2, 2, 7, 24, 2, tzinfo=UTC)
    assert found.extra == {"conversation_id": "b8e7c075effe9457"}
    same = Gemini().conversation(
        activity("Prompted Is 1 < 2?\nPlease say & explain.", "<p>Yes</p>")
    )
    assert (found.id, found.messages[0].id) == (same.id, same.messages[0].id)


def test_attached_files_and_gems_are_no_part_of_a_prompt() -> None:
    date = "18 Sept 2025, 12:02:52 CET"
    files = 'Attached 2 files.<br>- <a href="a%20b.txt">a b.txt</a><br>-  <a href="c.png">c.png</a>'
    gem = 'Chef was used in this chat. <a href="https://gemini.google.com/gems/view">Manage</a>'
    found = of_page(
        cell(f"Prompted&nbsp;Read this<br>{files}<br>{gem}<br>{date}<br><p>Done</p>"),
        cell(f"Prompted&nbsp;- <a href='https://a.org'>a.org</a><br>{date}<br><p>Done</p>"),
        cell(f"Prompted<br>Attached 1 file.<br>- <a href='c.png'>c.png</a><br>{date}<br><p>A</p>"),
    )
    assert [texts(each) for each in found if isinstance(each, Conversation)] == [
        [("Read this", "Done")],
        [("- a.org", "Done")],
        [],
    ]


def test_the_last_time_before_the_answer_is_that_of_the_record() -> None:
    log = "Jan 1, 2020, 1:00:00 AM UTC"
    [found] = of_page(
        cell(f"Prompted&nbsp;What is<br>{log}<br>18 Sept 2025, 12:02:52 CET<br><p>{log}</p>")
    )
    assert isinstance(found, Conversation)
    assert texts(found) == [(f"What is\n{log}", log)]


def test_other_cells_are_left_out_with_the_reason() -> None:
    date = "18 Sept 2025, 12:02:52 CET<br>"
    found = of_page(
        cell(f"Created Gemini Canvas titled&nbsp;A thing<br>{date}"),
        cell(f'Watched&nbsp;<a href="https://youtube.com">A film</a><br>{date}', "YouTube"),
        cell(f"Prompted&nbsp;No answer<br>{date}"),
        cell("Prompted&nbsp;No time"),
        '<div class="outer-cell"></div>',
    )
    reasons = [each if isinstance(each, str) else texts(each) for each in found]
    assert reasons == [
        "it is other activity than a prompt",
        [],
        [],
        "it is other activity than a prompt",
    ]


def test_a_long_page_is_read_in_pieces_and_loses_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [
        cell(f"Prompted&nbsp;q{n}<br>18 Sept 2025, 12:02:52 CET<br><p>{'r' * n}</p>")
        for n in range(1, 40)
    ]
    whole = [texts(each) for each in of_page(*cells) if isinstance(each, Conversation)]
    assert whole == [[(f"q{n}", "r" * n)] for n in range(1, 40)]
    for chunk in (7, 23, 1000):
        monkeypatch.setattr("personaagent.memory.exchange.gemini_page.CHUNK_CHARS", chunk)
        assert [texts(each) for each in of_page(*cells) if isinstance(each, Conversation)] == whole


def turn(index: int, text: str, *, by_user: bool, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"turn_index": index, "turn_last_modified": "2026-02-02T07:24:02Z"}
    if by_user:
        return {"user_turn": fields | {"prompt": text} | more}
    return {"system_turn": fields | {"text": [{"data": text}], "model_thoughts": []} | more}


def test_a_whole_conversation_is_read_without_the_turns_that_were_replaced() -> None:
    content = {
        "title": "Home",
        "creation_time": "2026-02-02T07:24:00Z",
        "conversation_turns": [
            turn(0, "I live in Oslo.", by_user=True),
            turn(1, "Noted: Oslo.", by_user=False),
            turn(2, "And I ski.", by_user=True),
            turn(3, "Fun.", by_user=False),
            turn(0, "I live in Ghent.", by_user=True),
            turn(1, "Noted", by_user=False),
            turn(1, "Noted: Ghent.", by_user=False),
            turn(2, "Forget this", by_user=True, turn_deleted_time="2026-02-03T00:00:00Z"),
            turn(3, "Never mind.", by_user=False),
            None,
        ],
    }
    assert of_json(content) == [("I live in Ghent.", "Noted: Ghent.")]
