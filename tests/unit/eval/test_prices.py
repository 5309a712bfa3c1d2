"""Prices of tokens, by model."""

from pathlib import Path

import pytest

from personaagent.core.errors import UsageError
from personaagent.core.records import Usage
from personaagent.eval.prices import TokenPrice, load_prices
from tests.support.eval_runs import usage


def test_prices_of_a_file_stand_over_those_that_come_with_it(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('["scripted"]\ninput = 1.5\noutput = 3\n\n["gpt-4o"]\ninput = 0\noutput = 1')
    prices = load_prices(file)
    spent = usage("actor", 1, 1_000_000, 2_000_000)
    models = {"actor": "scripted", "critic": "gpt-4o", "editor": "unheard-of"}
    assert prices.of(spent, models) == 7.5
    assert prices.of(usage("judge", 1, 10, 1_000_000), models) == 1.0, "the critic's model judges"
    assert prices.of(usage("editor", 1, 1, 1), models) is None
    assert prices.of(Usage(), models) == 0
    assert (
        load_prices(file, TokenPrice(input=4, output=0)).of(usage("editor", 1, 10**6, 1), models)
        == 4
    )
    shipped = load_prices().of(spent, {"actor": "gpt-4o", "critic": ""})
    assert shipped == 2.5 + 2 * 10
    assert load_prices().of(spent, {"actor": "qwen2.5-coder-1.5b", "critic": ""}) == 0
    for text in ("[", '["m"]\ninput = -1\noutput = 0', '["m"]\ninput = 1'):
        file.write_text(text)
        with pytest.raises(UsageError, match="is no table of prices"):
            load_prices(file)
    with pytest.raises(UsageError, match="is no table of prices"):
        load_prices(tmp_path / "missing.toml")
