"""The stress lab on every event: what this waterfall costs in a crash, whom it wrongs, how fast.

On the market data beside the project where it is there, on modelled paths otherwise (the unit says
which). A lower count of accounts keeps it short; docs/STRESS.md has the figures of the whole lab.
"""

import time
from typing import Any

from offchain.app.stress_command import CLUSTER_EVENT, cluster_comparison, find_data
from offchain.app.stress_data import event_prices
from offchain.stress.events import EVENTS
from offchain.stress.population import Population
from offchain.stress.replay import Model, make_policy, replay

ACCOUNTS, SEED = 1_000, 1


def measure() -> dict[str, dict[str, Any]]:
    """Return the keys of every event and of the deleveraging clusters."""
    data = find_data(None)
    entries: dict[str, dict[str, Any]] = {}
    begun = time.perf_counter()
    steps = 0
    for event in EVENTS:
        prices = event_prices(event, data, SEED)
        steps += len(prices.path)
        model = Model(Population(accounts=ACCOUNTS))
        (outcome,) = replay(prices.path, model, SEED, [make_policy("plimsoll")])
        tally = outcome.tally
        for key, value, unit in (
            ("wrongful_liquidations", tally.wrongful, "accounts"),
            ("socialised_loss_e6", tally.socialised_e6, "USD e-6"),
            ("overshoot_lots_max", tally.overshoot_lots_max, "lots"),
        ):
            entries[f"stress.{event.name}.{key}"] = {
                "value": value,
                "unit": f"{unit}, {prices.kind} prices",
            }
    spent = time.perf_counter() - begun
    entries["stress.account_steps_per_s"] = {
        "value": steps * ACCOUNTS / spent,
        "unit": "accounts x steps / s",
    }
    found = cluster_comparison(data, SEED)
    entries["stress.adl.overshoot_ratio_to_ranked_queue"] = {
        "value": found.ratio,
        "unit": f"of the queue's, clusters of {CLUSTER_EVENT}",
    }
    return entries
