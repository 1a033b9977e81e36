#!/usr/bin/env python3
"""Gas of one cell of the risk arrays, recomputed on chain; without calldata and intrinsic gas.

Each figure is what a call of `RiskCells` from another contract uses, and is the largest over the
scenarios. An option has a smile, 20 days to go and a strike near the money: every step is taken.
The first access to the table in a transaction (2,600 gas) is in `option` and not in the others,
which follow in the same one. Usage: bench_risk_cell.py, or `measure()`.
"""

import json
from dataclasses import replace
from typing import Any

from offchain.core.instruments import Kind
from offchain.core.units import DAY_NS, ONE_E8
from scripts.vectors_risk_cell import of_kind
from tests.support.risk_cells import Deployed, Question, deployed

OPTION_LIMIT = 60_000
MONTH_NS = 20 * DAY_NS + 12_345
STRIKE_E8 = 110_000 * ONE_E8
Entry = dict[str, Any]


def worst_loss(chain: Deployed, asked: Question) -> int:
    """Return the gas of the dearest scenario."""
    return max(
        chain.gas_of(replace(asked, scenarios=(scenario,)))["loss"] for scenario in asked.scenarios
    )


def entry(value: int, limit: int | None = None) -> Entry:
    """Return a result; with a limit, the ratio to it."""
    made: Entry = {"value": value, "unit": "gas"}
    return made | {"reference": limit, "ratio": value / limit} if limit else made


def measure() -> dict[str, Entry]:
    """Return every figure by its key."""
    with deployed() as chain:
        option = of_kind(Kind.CALL, MONTH_NS, STRIKE_E8)
        linear = of_kind(Kind.FUTURE, MONTH_NS)
        others = chain.gas_of(option)
        return {
            "risk_cell.gas.option": entry(worst_loss(chain, option), OPTION_LIMIT),
            "risk_cell.gas.linear": entry(worst_loss(chain, linear)),
            "risk_cell.gas.value": entry(others["lotValue"]),
            "risk_cell.gas.delta": entry(others["delta"]),
            "risk_cell.gas.vega": entry(others["vega"]),
        }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
