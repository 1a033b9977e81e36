"""The shape of 10 October 2025: 35,000 deleveraging fills in 1,125 clusters over 19,000 accounts.

The clusters are a seeded twin (`stress.clusters.twin`): capacities log-normal around 250,000 USD,
deficits of 1 % to 90 % of them, winners' sizes log-normal around 500 USD. Each cluster becomes a
book: its winners are shorts in profit, and one bankrupt long is what the deficit is.
"""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from offchain.core.deleverage import Candidate, Policy, shares
from offchain.stress.book import CONTRACTS, FIRST_TRADER, Book
from offchain.stress.clusters import (
    ACCOUNTS,
    CLUSTERS,
    FILLS,
    compare,
    drawn,
    twin,
    twin_winners,
)
from offchain.stress.lab import Lab
from offchain.stress.winners import Bankrupt, candidates, deleverage_rest, keeping_maintenance
from tests.support.stress import BITCOIN_E8, EMPTY_USD, make_lab

PRICE_USD = 40_000
BANKRUPT = FIRST_TRADER
TICK_E6 = CONTRACTS[0].tick_e8 // CONTRACTS[0].lot_divisor


def cluster_lab(lots: int, asked: list[Candidate], source: random.Random) -> Lab:
    """Return a book where a long of `lots` owes up to 0.50 a lot, and `asked` are shorts.

    A tenth of the small ones are thin: 0.25 a lot, where 0.20 are required.
    """
    count = FIRST_TRADER + 1 + len(asked) + 1
    held, cash = np.zeros((count, 2), np.int64), np.zeros(count, np.int64)
    held[BANKRUPT, 0] = lots
    capacity = sum(int(winner.lots) for winner in asked)
    for account, winner in enumerate(asked, start=BANKRUPT + 1):
        size = int(winner.lots)
        is_thin = size * 20 < min(capacity, 2_000_000) and source.random() < 0.1
        held[account, 0] = -size
        cash[account] = size * (-9_750_000 if is_thin else 10_000_000)  # 10 a lot are won
    held[count - 1, 0] = -int(held[:, 0].sum())
    cash[count - 1] = 10**16
    cost = held * np.array([BITCOIN_E8 // CONTRACTS[0].lot_divisor, 0], np.int64)
    cash[BANKRUPT] = lots * (10_000_000 - source.randrange(1, 500_000))  # 10 a lot are lost
    return make_lab(Book(held, cost, cash), PRICE_USD, EMPTY_USD, makers=1)


@pytest.mark.deep
def test_deleveraging_of_that_day_closes_every_deficit_to_the_lot() -> None:
    source = random.Random("10 October")  # noqa: S311 - a model, not a secret
    clusters, fills, limited = twin(1), 0, 0
    touched: set[int] = set()
    for cluster, drawn_winners in drawn(clusters, twin_winners(1), 1, FILLS):
        asked, lots = [c for c in drawn_winners if c.lots], int(cluster.deficit_usd)
        lab = cluster_lab(lots, asked, source)
        bankrupt = Bankrupt(0, lots, -1, lab.bankruptcy_prices(BANKRUPT)[0])
        before, was_sound = lab.book.lots[:, 0].copy(), sound(lab)
        found = candidates(lab, bankrupt)
        plain = shares(lots, found, Policy.PRO_RATA)
        assert shares(lots, found[::-1], Policy.PRO_RATA) == plain
        chosen = keeping_maintenance(lab, bankrupt)
        deleverage_rest(lab, BANKRUPT, keeping_maintenance)
        assert lab.fund_e6 == 0  # there was nothing else to pay with
        closed = np.abs(lab.book.lots[:, 0] - before)[BANKRUPT + 1 :]
        assert int(closed.sum()) == sum(share.lots for share in chosen) == lots
        assert lab.tally.overshoot_lots == 0
        assert lab.tally.weakened == 0
        assert (sound(lab) >= was_sound).all()
        # at one price, which is the bankruptcy price but for what is less than a tick
        assert 0 <= int(lab.book.cash_e6[BANKRUPT]) < lots * TICK_E6
        lab.book.check()
        fills += len(chosen)
        limited += chosen != plain
        touched.update(int(c.account) for c in asked)
    assert len(clusters) == CLUSTERS
    assert fills >= FILLS * 9 // 10
    assert len(touched) >= ACCOUNTS * 8 // 10
    assert limited >= 100  # there were winners who could not carry their part


def sound(lab: Lab) -> NDArray[np.bool_]:
    """Return who is at his maintenance, after the bankrupt account."""
    balance, required = lab.book.margins(lab.marks)
    return (balance >= required)[BANKRUPT + 1 :]


@pytest.mark.deep
def test_the_queue_of_whole_positions_overshoots_ten_times_as_much() -> None:
    found = compare(twin(1), twin_winners(1), 1)
    assert found.fills >= FILLS * 9 // 10
    assert len(found.accounts) >= ACCOUNTS * 8 // 10
    assert found.overshoot_lots_max <= 1
    assert found.overshoot_usd <= found.clusters  # one lot of a dollar each
    assert found.overshoot_usd * 10 <= found.whole_positions_usd
