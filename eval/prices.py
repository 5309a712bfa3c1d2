"""The price of tokens, by model."""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import Field, TypeAdapter

from personaagent.core.errors import UsageError
from personaagent.core.records import Record, RoleUsage, Usage
from personaagent.models.catalog import MODELS

MILLION = 1_000_000


class TokenPrice(Record):
    """The price in dollars of a million input tokens, and of a million output tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)

    def of(self, usage: RoleUsage) -> float:
        """The price of these tokens, in dollars."""
        return (self.input * usage.input_tokens + self.output * usage.output_tokens) / MILLION


class Prices:
    """The price of each model; ``default`` is the price of models that are in no table."""

    def __init__(self, table: dict[str, TokenPrice], default: TokenPrice | None = None) -> None:
        self._table = {name: TokenPrice(input=0, output=0) for name in MODELS} | table
        self._default = default

    def of(self, usage: Usage, models: dict[str, str]) -> float | None:
        """The price in dollars; ``models`` are names by role. None if a price is unknown.

        Roles without a model of their own are judges, which use the critic's model.
        """
        total = 0.0
        for role, role_usage in usage.by_role.items():
            model = models.get(role, models["critic"])
            price = self._table.get(model, self._default)
            if price is None:
                return None
            total += price.of(role_usage)
        return total


def load_prices(file: Path | None = None, default: TokenPrice | None = None) -> Prices:
    """The prices that come with the package; those of ``file`` replace them.

    Raises:
        UsageError: the file is not a price table.
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
    return Prices(table, default)


def _table(text: str) -> dict[str, TokenPrice]:
    return TypeAdapter(dict[str, TokenPrice]).validate_python(tomllib.loads(text))
