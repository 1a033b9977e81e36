"""What liquidations do to the price: a square-root law with a memory.

Orders eat into the book: after `pressure` dollars were sold, the best bid is lower by
``1 % x sqrt(pressure / depth)``, where `depth` is what rests within one per cent of the mid. The
square root is the usual empirical law (Almgren and others 2005; Toth and others 2011, where it is
found over several decades of size). The book refills with a half-life. In a fast market most of the
depth is gone: `stressed_share` of it is left. All of it is a model, in floating point.
"""

import math
from dataclasses import dataclass, field

from offchain.core.units import ONE_E6, SECOND_NS
from offchain.stress.book import CONTRACTS, Contract

ONE_PERCENT = 0.01


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep the books are.

    Attributes
    ----------
    share : float
        What rests within 1 % of the mid on each side, as a share of the open interest.
    stressed_share : float
        Of that, what is left while the index moves by `fast_move` within `fast_s` seconds.
    half_life_s : float
        In which half of the pressure is gone.
    most : float
        How far the price gives way before nobody is there any more.
    """

    share: float = 0.02
    stressed_share: float = 0.25
    fast_move: float = 0.03
    fast_s: int = 300
    half_life_s: float = 120.0
    most: float = 0.25


@dataclass(slots=True)
class Side:
    """Pressure on one side of one book. [USD]"""

    usd: float = 0.0

    def move(self, depth_usd: float) -> float:
        """Return by which share the price has given way."""
        return ONE_PERCENT * math.sqrt(self.usd / depth_usd)


@dataclass(slots=True)
class Market:
    """One contract's index, mark and book.

    Parameters
    ----------
    depth_usd : float
        Within 1 % of the mid, in quiet times.
    """

    contract: Contract
    terms: Depth
    depth_usd: float
    index_e8: int
    bids: Side = field(default_factory=Side)
    asks: Side = field(default_factory=Side)
    _recent: list[tuple[int, int]] = field(default_factory=list)
    _is_fast: bool = False

    @property
    def premium(self) -> float:
        """Mark over index, less one."""
        return self.asks.move(self._depth) - self.bids.move(self._depth)

    @property
    def mark_e8(self) -> int:
        """Return the mark, on the tick. [USD e-8]"""
        return self.contract.on_tick(self.index_e8 * (1 + self.premium))

    def tick(self, index_e8: int, time_ns: int, elapsed_ns: int) -> None:
        """Move the index, and let the book refill."""
        self.index_e8 = index_e8
        left = 0.5 ** (elapsed_ns / SECOND_NS / self.terms.half_life_s)
        self.bids.usd *= left
        self.asks.usd *= left
        first = time_ns - self.terms.fast_s * SECOND_NS
        self._recent = [(t, p) for t, p in self._recent if t >= first]
        self._recent.append((time_ns, index_e8))
        prices = [p for _, p in self._recent]
        self._is_fast = max(prices) >= min(prices) * (1 + self.terms.fast_move)

    def quote(self, lots: int, limit_e8: int | None = None) -> tuple[int, int]:
        """Return signed lots and average price [USD e-8] that the book gives within a limit.

        Parameters
        ----------
        lots : int
            Positive buys, negative sells.
        limit_e8 : int or None
            Worst price of the last lot; none takes whatever there is.
        """
        side, sign = (self.asks, 1) if lots > 0 else (self.bids, -1)
        other = (self.bids if lots > 0 else self.asks).move(self._depth)
        before = side.usd
        furthest = self.terms.most
        if limit_e8 is not None:
            furthest = min(furthest, sign * (limit_e8 / self.index_e8 - 1) + other)
        room = self._depth * (max(0.0, furthest) / ONE_PERCENT) ** 2 - before
        filled = min(abs(lots), int(max(0.0, room) / self._lot_usd))
        if not filled:
            return 0, self.mark_e8
        after = before + filled * self._lot_usd
        average = ONE_PERCENT * (2 / 3) * (after**1.5 - before**1.5)
        average /= math.sqrt(self._depth) * (after - before)
        price = self.contract.on_tick(self.index_e8 * (1 + sign * (average - other)))
        return sign * filled, price

    def take(self, lots: int, limit_e8: int | None = None) -> tuple[int, int]:
        """Trade as far as the book goes within a limit; return what `quote` does."""
        filled, price = self.quote(lots, limit_e8)
        side = self.asks if lots > 0 else self.bids
        side.usd += abs(filled) * self._lot_usd
        return filled, price

    @property
    def _lot_usd(self) -> float:
        return self.index_e8 / self.contract.lot_divisor / ONE_E6

    @property
    def _depth(self) -> float:
        return self.depth_usd * (self.terms.stressed_share if self._is_fast else 1.0)


def open_markets(
    index_e8: tuple[int, ...], open_interest_lots: tuple[int, ...], terms: Depth
) -> list[Market]:
    """Return the markets of a venue with this open interest at these prices."""
    markets = []
    for contract, price, lots in zip(CONTRACTS, index_e8, open_interest_lots, strict=True):
        interest_usd = lots * price / contract.lot_divisor / ONE_E6
        depth = max(terms.share * interest_usd, 1_000.0)
        markets.append(Market(contract, terms, depth, price))
    return markets
