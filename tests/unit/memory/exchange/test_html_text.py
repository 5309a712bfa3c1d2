"""HTML becomes Markdown, without what is no text."""

import pytest

from personaagent.memory.exchange.html_text import html_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain * text_1", "plain * text_1"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two", "One  \nTwo"),
        ("<h2>Title</h2><ol><li>a</li><li>b</li></ol>", "## Title\n\n1. a\n2. b"),
        ("<p>a_b * c &lt;d&gt; &amp;&nbsp;e</p>", "a_b * c <d> & e"),
        ('<p>A<img src="x.png" alt="fjord"><script>x()</script><style>p{}</style></p>', "A"),
        (
            "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "| k | v |\n| --- | --- |\n| 1 | 2 |",
        ),
        ('<p>See <a href="https://a.org">a</a></p>', "See [a](https://a.org)"),
        ("<p></p>", ""),
    ],
)
def test_html_becomes_markdown(html: str, text: str) -> None:
    assert html_text(html) == text


def test_what_is_nested_too_deeply_keeps_its_words() -> None:
    assert html_text("<div>" * 5000 + "a &amp; b" + "</div>" * 5000) == "a & b"
