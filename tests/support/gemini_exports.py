"""Activity with Gemini in the formats of Google Takeout."""

from typing import Any


def activity(title: str, *answers: str, **more: Any) -> dict[str, Any]:
    """A record of ``MyActivity.json``."""
    record = {
        "header": "Gemini Apps",
        "title": title,
        "time": "2026-02-02T07:24:02.806Z",
        "products": ["Gemini Apps"],
        "activityControls": ["Gemini Apps Activity"],
    }
    return (
        record | ({"safeHtmlItem": [{"html": each} for each in answers]} if answers else {}) | more
    )


def page(*cells: str) -> str:
    """``MyActivity.html`` with these cells."""
    return (
        '<html><head><meta charset="UTF-8"><title>My Activity History</title>'
        "<style>.mdl-grid{display:flex}</style></head><body>"
        f'<div class="mdl-grid">{"".join(cells)}</div></body></html>'
    )


def cell(body: str, header: str = "Gemini Apps", caption: str = "") -> str:
    """A cell of ``MyActivity.html``."""
    wide, half = "mdl-cell mdl-cell--12-col", "content-cell mdl-cell mdl-cell--6-col"
    return (
        f'<div class="outer-cell {wide} mdl-shadow--2dp"><div class="mdl-grid">'
        f'<div class="header-cell {wide}"><p class="mdl-typography--title">{header}<br></p></div>'
        f'<div class="{half} mdl-typography--body-1">{body}</div>'
        f'<div class="{half} mdl-typography--body-1 mdl-typography--text-right"></div>'
        f'<div class="content-cell {wide} mdl-typography--caption"><b>Products:</b><br>'
        f"&emsp;{header}<br>{caption}<b>Why is this here?</b><br>&emsp;This activity was saved to "
        f"your Google Account because the following settings were on:&nbsp;{header} Activity.&nbsp;"
        '<a href="https://myaccount.google.com/activitycontrols">here</a>.</div></div></div>'
    )
