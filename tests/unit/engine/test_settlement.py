"""A settlement is a trade of every holder to zero, however many there are."""

from random import Random

import numpy as np
import pytest

from offchain.core.units import MAX_POSITIONS
from offchain.engine.accounts import BALANCE_LIMIT, Accounts

HOLDERS, VALUE_E6 = 60, 118_250_000
ARRAYS = ("cash", "ids", "lots", "costs", "counts", "open_interest")


def crowd(seed: int) -> Accounts:
    """Return accounts with random positions; some full, some without the first instrument."""
    random, accounts = Random(seed), Accounts()  # noqa: S311 - a seed that can be named
    for name in range(HOLDERS):
        account = accounts.open(name.to_bytes(20), 0)
        accounts.add_cash(account, random.randrange(-(10**9), 10**9))
        size = MAX_POSITIONS if name % 5 == 1 else random.randrange(0, 6)
        for instrument in random.sample(range(40), size) if account else []:
            lots = random.choice([-1, 1]) * random.randrange(1, 9_999)
            accounts.trade(account, instrument, lots, random.randrange(-(10**12), 10**12))
    accounts.dirty.clear()
    return accounts


@pytest.mark.parametrize("seed", range(4))
def test_settling_all_at_once_is_trading_one_by_one(seed: int) -> None:
    at_once, one_by_one = crowd(seed), crowd(seed)
    for instrument in (0, 7, 39, 41):  # nobody has the last one
        at_once.settle(instrument, VALUE_E6)
        for account in range(1, HOLDERS):
            lots = one_by_one.lots_of(account, instrument)
            if lots:
                one_by_one.trade(account, instrument, -lots, -lots * VALUE_E6)
        for name in ARRAYS:
            assert np.array_equal(getattr(at_once, name), getattr(one_by_one, name)), name
        assert at_once.dirty == one_by_one.dirty


def test_a_settlement_keeps_cash_in_its_range() -> None:
    accounts = Accounts()
    for name in range(2):
        accounts.open(name.to_bytes(20), 0)
    accounts.trade(1, 3, 5, 0)
    accounts.add_cash(1, BALANCE_LIMIT - 1)
    with pytest.raises(AssertionError, match="cash left its range"):
        accounts.settle(3, 1)
