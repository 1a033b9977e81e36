"""Small venues for the stress lab, of which every number can be worked out by hand."""

import random
from collections.abc import Sequence

import numpy as np

from offchain.core.units import ONE_E6, ONE_E8
from offchain.stress.book import BACKSTOP, CONTRACTS, FIRST_TRADER, INSURANCE, Book, Marks
from offchain.stress.impact import Depth, Market
from offchain.stress.lab import Lab

BITCOIN_E8, ETHER_E8 = 50_000 * ONE_E8, 2_500 * ONE_E8
START: Marks = (BITCOIN_E8, ETHER_E8)
DEEP_USD, EMPTY_USD = 1e18, 1e-12
"""A book that nothing moves, and one that takes nothing."""
Trader = tuple[int, int]
"""(lots of BTC, cash [USD])"""


def make_book(
    traders: Sequence[Trader], makers: int = 2, fund_usd: int = 0, backstop_usd: int = 0
) -> Book:
    """Return a book whose traders entered at 50,000 USD; makers share the other side."""
    count = FIRST_TRADER + len(traders) + makers
    lots, cost = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
    cash = np.zeros(count, np.int64)
    cash[INSURANCE], cash[BACKSTOP] = fund_usd * ONE_E6, backstop_usd * ONE_E6
    for account, (held, own) in enumerate(traders, start=FIRST_TRADER):
        lots[account, 0], cash[account] = held, own * ONE_E6
    rest = -int(lots[:, 0].sum())
    first = FIRST_TRADER + len(traders)
    for place in range(makers):
        lots[first + place, 0] = rest // makers + (place < rest % makers)
        cash[first + place] = 100_000_000 * ONE_E6
    cost[:, 0] = lots[:, 0] * (BITCOIN_E8 // CONTRACTS[0].lot_divisor)
    return Book(lots, cost, cash)


def make_lab(book: Book, bitcoin_usd: float, depth_usd: float, makers: int = 2) -> Lab:
    """Return a lab at a price of BTC."""
    prices = (round(bitcoin_usd * ONE_E8), ETHER_E8)
    terms = Depth(fast_move=10.0)
    markets = [
        Market(c, terms, depth_usd, price) for c, price in zip(CONTRACTS, prices, strict=True)
    ]
    source = random.Random(1)  # noqa: S311 - a model, not a secret
    lab = Lab(book, markets, range(book.count - makers, book.count), source)
    lab.tick(prices, 1)
    return lab


def usd(amount_e6: int) -> float:
    """Return dollars."""
    return amount_e6 / ONE_E6
