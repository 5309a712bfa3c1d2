"""What tokens cost, by model."""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import Field, TypeAdapter

from personaagent.core.errors import UsageError
from personaagent.core.records import Record, RoleUsage, Usage
from personaagent.models.catalog import MODELS

MILLION = 1_000_000


class Price(Record):
    """The price of a million tokens read, and of a million written."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)

    def of(self, usage: RoleUsage) -> float:
        """What the tokens cost."""
        return (self.input * usage.input_tokens + self.output * usage.output_tokens) / MILLION


class Prices:
    """The price of each model; ``otherwise`` is that of one that is in no table."""

    def __init__(self, table: dict[str, Price], otherwise: Price | None = None) -> None:
        self._table = {name: Price(input=0, output=0) for name in MODELS} | table
        self._otherwise = otherwise

    def of(self, usage: Usage, models: dict[str, str]) -> float | None:
        """What the usage costs, ``models`` by role; None where a price is not known.

        A role that has no model of its own is played by the critic's: it judges.
        """
        total = 0.0
        for role, spent in usage.by_role.items():
            model = models.get(role, models["critic"])
            price = self._table.get(model, self._otherwise)
            if price is None:
                return None
            total += price.of(spent)
        return total


def load_prices(file: Path | None = None, otherwise: Price | None = None) -> Prices:
    """The table that comes with the package, and over it that of ``file``.

    Raises:
        UsageError: the file cannot be read as such a table.
    """
    shipped = files("personaagent.eval").joinpath("prices.toml").read_text("utf-8")
    table = _table(shipped)
    if file is not None:
        try:
            table |= _table(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{file} is no table of prices ({' '.join(str(error).split())}): it should look "
                'like ["gpt-4o"], then input = 2.50 and output = 10.00, each for a million tokens.'
            ) from error
    return Prices(table, otherwise)


def _table(text: str) -> dict[str, Price]:
    return TypeAdapter(dict[str, Price]).validate_python(tomllib.loads(text))
