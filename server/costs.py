"""What a user's model calls have cost, in tokens and, where the settings know prices, in money."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce

from personaagent.core.records import Record, RoleUsage
from personaagent.core.settings import Settings
from personaagent.memory.costs import DayCosts, added


class Cost(Record):
    """Calls, tokens, and their price at the prices set now; null where none is set."""

    calls: int
    input_tokens: int
    output_tokens: int
    price: float | None


class CostsOfDay(Record):
    """What a day (UTC) has cost, by purpose."""

    day: date
    by_purpose: dict[str, Cost]


class CostReport(Record):
    """What model calls have cost, ``total`` and on each of the ``days``, oldest first.

    Purposes are ``answers``, ``summaries``, ``learning`` (alignment) and ``tests`` (the scorecard).
    Incognito turns are not counted. ``currency`` names that of the prices, if the settings do.
    """

    days: list[CostsOfDay]
    total: dict[str, Cost]
    currency: str | None


def cost_report(days: Iterable[DayCosts], settings: Settings) -> CostReport:
    """The report on these days."""
    listed = [*days]
    total: Mapping[str, RoleUsage] = reduce(added, (each.by_purpose for each in listed), {})
    return CostReport(
        days=[
            CostsOfDay(day=each.day, by_purpose=_costs(each.by_purpose, settings))
            for each in listed
        ],
        total=_costs(total, settings),
        currency=settings.price_currency,
    )


def _costs(usages: Mapping[str, RoleUsage], settings: Settings) -> dict[str, Cost]:
    return {purpose: _cost(usage, settings) for purpose, usage in usages.items()}


def _cost(usage: RoleUsage, settings: Settings) -> Cost:
    read, written = usage.input_tokens, usage.output_tokens
    price = (read * settings.price_input + written * settings.price_output) / 1e6
    has_price = settings.price_input or settings.price_output
    return Cost(
        calls=usage.llm_calls,
        input_tokens=read,
        output_tokens=written,
        price=price if has_price else None,
    )
