"""The report on costs: tokens always, money where the settings know prices."""

from datetime import date
from pathlib import Path

from personaagent.core.records import RoleUsage
from personaagent.core.settings import load_settings
from personaagent.memory.costs import DayCosts
from personaagent.server.costs import Cost, cost_report

USED = RoleUsage(llm_calls=2, input_tokens=500_000, output_tokens=100_000)
DAYS = [DayCosts(day=date(2026, 11, day), by_purpose={"answers": USED}) for day in (1, 2)]


def test_tokens_are_priced_by_the_million(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, price_input=2, price_output=10, price_currency="EUR")
    report = cost_report(DAYS, settings)
    assert [each.day.day for each in report.days] == [1, 2]
    assert report.days[0].by_purpose["answers"].price == 2.0
    whole = Cost(calls=4, input_tokens=1_000_000, output_tokens=200_000, price=4.0)
    assert (report.total, report.currency) == ({"answers": whole}, "EUR")


def test_without_prices_there_are_tokens_only(tmp_path: Path) -> None:
    report = cost_report(DAYS, load_settings(home=tmp_path))
    assert report.total["answers"].price is None
    assert cost_report([], load_settings(home=tmp_path)).total == {}
