"""What the report writes of single figures and texts."""

from pathlib import Path

import pytest

from personaagent.eval.curve import Curve, CurveLine
from personaagent.eval.estimate import Difference
from personaagent.eval.number_format import (
    format_difference,
    format_estimate,
    format_mean,
    format_number,
    format_p,
    format_price,
    format_share,
)
from personaagent.eval.report.curve_report import write_curve
from personaagent.eval.report.interval_scale import MARGIN, WIDTH, IntervalScale
from personaagent.eval.report.templates import fenced, verdict
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


def test_the_scale_begins_at_zero_and_has_room_for_all() -> None:
    scale = IntervalScale.of(
        [Estimate(mean=0.5, low=0.25, high=0.75), Estimate(mean=1, low=1, high=1.25)]
    )
    assert (scale.position(0), scale.position(1.25)) == (MARGIN, WIDTH - MARGIN)
    assert scale.position(0.625) == WIDTH / 2
    nothing = IntervalScale.of([Estimate(mean=0, low=0, high=0)])
    assert nothing.position(0) == MARGIN
    below = IntervalScale.of([Estimate(mean=-1, low=-2, high=-1)])
    assert (below.position(-2), below.position(0)) == (MARGIN, WIDTH - MARGIN)
    assert IntervalScale.of([]).position(0.5) == WIDTH / 2


def test_a_curve_with_a_gap_and_a_mean_beyond_its_interval(tmp_path: Path) -> None:
    lines = [
        CurveLine(
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
    assert '0.100<span class="range">[0.200, 0.900]</span>' in html


def test_figures() -> None:
    assert format_estimate(Estimate(mean=0.5, low=0.25, high=1)) == "0.500 [0.250, 1.000]"
    assert format_mean(Estimate(mean=0.12345, low=0, high=1)) == "0.123"
    assert (
        format_difference(difference(0.5, -0.25, 1, 0.0004)) == "+0.500 [-0.250, +1.000] p <0.001"
    )
    assert [format_p(p) for p in (0.0012, 0.034, 0.5, 1)] == ["0.0012", "0.034", "0.5", "1"]
    assert [format_number(n) for n in (12345.6, 99.94, 3.14159, 2, 0)] == [
        "12,346",
        "99.9",
        "3.14",
        "2",
        "0",
    ]
    assert [format_price(p) for p in (0, 0.00012, 0.5, 1234.5)] == [
        "$0",
        "$0.00012",
        "$0.5",
        "$1,234.50",
    ]
    assert (format_share(0.955), format_share(None), format_mean(None)) == ("96%", "-", "-")
