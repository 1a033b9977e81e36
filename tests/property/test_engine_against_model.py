"""The engine and a slow model written from the documents agree on every command.

Seeds are fixed: a failure names its seed and step.
"""

from random import Random

import pytest

from offchain.core.parameters import RiskParameters
from tests.support.campaign import Campaign
from tests.support.rule_sets import EVERY

STEPS = 160


def live(seed: int, rules: RiskParameters, steps: int) -> None:
    random = Random(seed)  # noqa: S311 - a seed that can be named, nothing secret
    Campaign(rules, random).run(steps)


@pytest.mark.parametrize("rules", list(EVERY.values()), ids=list(EVERY))
@pytest.mark.parametrize("seed", range(3))
def test_engine_and_model_agree(seed: int, rules: RiskParameters) -> None:
    live(seed, rules, STEPS)


@pytest.mark.deep
@pytest.mark.parametrize("rules", list(EVERY.values()), ids=list(EVERY))
@pytest.mark.parametrize("seed", range(100, 180))
def test_engine_and_model_agree_for_long(seed: int, rules: RiskParameters) -> None:
    live(seed, rules, 4 * STEPS)
