"""A file is recognised by what is in it, whatever its name, and read as its program means it."""

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.formats import FORMATS, format_of, programs
from personaagent.memory.exchange.messages import exchanges
from tests.support.chat_exports import chatgpt, chatgpt_message, claude
from tests.support.gemini_exports import activity, cell, page
from tests.support.imports import import_text, stored
from tests.support.tree_exports import librechat, librechat_message, open_webui, owui_message

ANSWERED = "18 Sept 2025, 12:02:52 CET<br><p>In Ghent.</p>"


def conversations() -> dict[str, dict[str, Any]]:
    """One of each program, in which the user asks where they live."""
    asked = "Where do I live?"
    return {
        "chatgpt": chatgpt(
            "c", chatgpt_message("user", asked), chatgpt_message("assistant", "In Ghent.")
        ),
        "claude": claude("c", ("human", asked), ("assistant", "In Ghent.")),
        "open-webui": open_webui(
            owui_message("u", "user", asked), owui_message("a", "assistant", "In Ghent.", "u")
        ),
        "librechat": librechat(
            librechat_message("u", asked, by_user=True),
            librechat_message("a", "In Ghent.", "u", by_user=False, minute=1),
        ),
        "gemini": activity(f"Prompted {asked}", "<p>In Ghent.</p>"),
    }


def zipped(**files: str) -> bytes:
    archive = io.BytesIO()
    with ZipFile(archive, "w") as zip_file:
        for name, text in files.items():
            zip_file.writestr(name.replace("__", "/"), text)
    return archive.getvalue()


@pytest.mark.parametrize("source", conversations())
def test_a_conversation_is_recognised_by_one_program_only(source: str) -> None:
    item = conversations()[source]
    assert [each.source for each in FORMATS if each.recognises(item)] == [source]
    assert format_of(item) is not None


def damaged(value: Any) -> Iterator[Any]:
    """The value with one part of it missing, or of another type."""
    yield from (None, 5, -1e300, True, "x", "", [], [None], {}, {"a": None}, [[]])
    if isinstance(value, dict):
        for key in value:
            yield {name: each for name, each in value.items() if name != key}
            yield from (value | {key: part} for part in damaged(value[key]))
    if isinstance(value, list):
        for place in range(len(value)):
            rest = value[:place], value[place + 1 :]
            yield from ([*rest[0], part, *rest[1]] for part in damaged(value[place]))


@pytest.mark.parametrize("source", conversations())
def test_a_part_that_is_missing_or_of_another_type_breaks_no_reader(source: str) -> None:
    count = 0
    for item in damaged(conversations()[source]):
        if reader := format_of(item):
            with suppress(ValueError):
                count += 1
                assert all(each for each in exchanges(reader.conversation(item).messages))
    assert count > 50


def test_our_own_lines_are_recognised_by_none() -> None:
    assert format_of({"query": "q", "response": "r", "metadata": {}}) is None
    assert programs() == "ChatGPT, Claude, Open WebUI, LibreChat or Gemini"


@pytest.mark.parametrize("source", conversations())
@pytest.mark.parametrize("form", ["list", "object", "lines", "zip"])
async def test_each_program_is_imported_in_each_form(
    source: str, form: str, agent: LocalAgent, file: Path
) -> None:
    item = conversations()[source]
    content: dict[str, str | bytes] = {
        "list": json.dumps([item]),
        "object": json.dumps(item, indent=2),
        "lines": json.dumps(item) + "\n" + json.dumps(item) + "\n",
        "zip": zipped(**{"export__a.json": json.dumps([item]), "user.json": '{"name": "Ann"}'}),
    }
    imported = await import_text(agent, file, content[form])
    assert (imported.added, imported.left_out) == (1, 0)
    [episode] = await stored(agent)
    assert (episode.query, episode.response) == ("Where do I live?", "In Ghent.")
    assert (episode.source, episode.ground_truth) == (source, None)
    assert episode.created_at.year < 2027
    assert (await import_text(agent, file, content["list"])).added == 0


async def test_takeout_is_imported_as_it_is_downloaded_in_any_language(
    agent: LocalAgent, file: Path
) -> None:
    other = cell(f"Sökte efter&nbsp;fjordar<br>{ANSWERED}", "Sök")
    mine = cell(f"Gav instruktionen&nbsp;Var bor jag?<br>{ANSWERED}", "Gemini-appar")
    style = "<style>/* material-design-lite */" + ".mdl-grid{display:flex}" * 4000 + "</style>"
    archive = zipped(
        **{
            "Takeout__archive_browser.html": "<html><body>Arkiv</body></html>",
            "Takeout__Gemini__gemini_gems_data.html": "<div></div>",
            "Takeout__Min aktivitet__Sök__MinAktivitet.html": page(other),
            "Takeout__Min aktivitet__YouTube__MinAktivitet.json": json.dumps(
                [activity("Tittade på fjordar", header="YouTube", products=["YouTube"])]
            ),
            "Takeout__Min aktivitet__Gemini-appar__MinAktivitet.html": page(other, mine).replace(
                "<head>", f"<head>{style}"
            ),
        }
    )
    imported = await import_text(agent, file, archive)
    assert (imported.added, imported.left_out) == (1, 0)
    [episode] = await stored(agent)
    assert (episode.query, episode.response) == ("Var bor jag?", "In Ghent.")


async def test_the_page_and_the_json_of_the_same_activity_are_the_same_episodes(
    agent: LocalAgent, file: Path
) -> None:
    record = activity(
        "Prompted Where do  I live?", "<p>In Ghent.</p>", time="2025-09-18T11:02:52.500Z"
    )
    assert (await import_text(agent, file, json.dumps([record]))).added == 1
    html = page(cell(f"Prompted&nbsp;Where do I live?<br>{ANSWERED}"))
    again = await import_text(agent, file, html)
    assert (again.added, again.skipped) == (0, 1)


async def test_activity_that_is_no_prompt_is_counted_with_its_reason(
    agent: LocalAgent, file: Path
) -> None:
    records = [
        activity("Used an Assistant feature"),
        activity("Prompted Where do I live?", "<p>In Ghent.</p>"),
        activity("Prompted Unanswered"),
    ]
    imported = await import_text(agent, file, json.dumps(records))
    assert (imported.added, imported.left_out) == (1, 2)
    assert [problem.partition(": ")[2] for problem in imported.problems] == [
        "it is other activity than a prompt",
        "it has no message of yours with an answer",
    ]
