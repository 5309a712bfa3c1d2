"""What the report writes of single figures and texts."""

from pathlib import Path

import pytest

from personaagent.eval.curve import Curve, Line
from personaagent.eval.estimate import Difference
from personaagent.eval.figures import (
    difference_text,
    estimate_text,
    mean_text,
    number_text,
    p_text,
    price_text,
    share_text,
)
from personaagent.eval.report.curve import write_curve
from personaagent.eval.report.forest import MARGIN, WIDTH, Forest
from personaagent.eval.report.page import fenced, verdict
from personaagent.scorecard.estimate import Estimate


def difference(mean: float, low: float, high: float, p: float) -> Difference:
    return Difference(mean=mean, low=low, high=high, p=p)


@pytest.mark.parametrize(
    ("found", "higher", "expected"),
    [
        (difference(0.2, 0.1, 0.3, 0.01), True, "better"),
        (difference(0.2, 0.1, 0.3, 0.01), False, "worse"),
        (difference(-0.2, -0.3, -0.1, 0.01), True, "worse"),
        (difference(-0.2, -0.3, -0.1, 0.01), False, "better"),
        (difference(0.2, 0.1, 0.3, 0.06), True, "open"),
        (difference(0.2, -0.01, 0.4, 0.04), True, "open"),
        (difference(0.2, 0.0, 0.4, 0.04), True, "open"),
        (None, True, "open"),
    ],
)
def test_a_verdict_needs_both_interval_and_p(
    found: Difference | None, higher: bool, expected: str
) -> None:
    assert verdict(found, higher) == expected


def test_a_text_cannot_end_its_block() -> None:
    assert fenced("plain") == "```text\nplain\n```"
    assert fenced("a ````` b\n```") == "``````text\na ````` b\n```\n``````"


def test_the_scale_has_room_for_all() -> None:
    scale = Forest.of([Estimate(mean=0.5, low=0.25, high=0.75), Estimate(mean=1, low=1, high=1.25)])
    assert (scale.place(0.25), scale.place(1.25)) == (MARGIN, WIDTH - MARGIN)
    assert scale.place(0.75) == WIDTH / 2
    alone = Forest.of([Estimate(mean=1, low=1, high=1)])
    assert alone.place(1) == MARGIN
    assert Forest.of([]).place(0.5) == WIDTH / 2


def test_a_curve_with_a_gap_and_a_mean_beyond_its_interval(tmp_path: Path) -> None:
    lines = [
        Line(
            task="tags",
            method=method,
            metric="accuracy",
            higher=True,
            estimates=[Estimate(mean=mean, low=0.2, high=0.9), None],
            tokens=[100.0, None],
        )
        for method, mean in (("rag", 0.1), ("a <b> c", 0.95))
    ]
    curve = Curve(axis="history", values=["0", "5"], lines=lines)
    page, data = write_curve(curve, tmp_path)
    assert Curve.model_validate_json(data.read_text()) == curve
    html = page.read_text()
    assert html.count("<svg") == 1
    assert "a &lt;b&gt; c" in html
    assert "<b>" not in html
    assert "0.100 [0.200, 0.900]" in html


def test_figures() -> None:
    assert estimate_text(Estimate(mean=0.5, low=0.25, high=1)) == "0.500 [0.250, 1.000]"
    assert mean_text(Estimate(mean=0.12345, low=0, high=1)) == "0.123"
    assert difference_text(difference(0.5, -0.25, 1, 0.0004)) == "+0.500 [-0.250, +1.000] p <0.001"
    assert [p_text(p) for p in (0.0012, 0.034, 0.5, 1)] == ["0.0012", "0.034", "0.5", "1"]
    assert [number_text(n) for n in (12345.6, 99.94, 3.14159, 2, 0)] == [
        "12,346",
        "99.9",
        "3.14",
        "2",
        "0",
    ]
    assert [price_text(p) for p in (0, 0.00012, 0.5, 1234.5)] == [
        "$0",
        "$0.00012",
        "$0.5",
        "$1,234.50",
    ]
    assert (share_text(0.955), share_text(None), mean_text(None)) == ("96%", "-", "-")
