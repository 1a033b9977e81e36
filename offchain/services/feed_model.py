"""From spot prices to what an oracle reports: index, forwards and at-the-money volatility.

A stated model in integers, so that a replay of the same spots reports the same numbers:

* index of an underlying: the spot price;
* forward of an expiry: ``index x (1 + basis x years to expiry)``;
* volatility of an expiry: ``base + drawdown response x drawdown + move response x recent move``,
  where the drawdown is from the highest spot of a window and the recent move is an exponential
  average of absolute returns. It rises when prices fall, as option markets do (Black, 1976), and
  stays within stated bounds;
* smile of an expiry, in Gatheral's raw form around that volatility: slope ``b`` grows with the
  square root of time to expiry, so that the smile in volatility keeps its width in standard
  deviations; tilt ``rho`` falls by ``tilt response x drawdown``, as puts get dearer in a fall;
  centre and width are constant;
* price of the cash asset: one less ``peg response x drawdown`` of the first underlying.

Prices are rounded to the tick of the underlying, volatilities to 0.01 percentage points, the shape
of the smile and the price of the cash asset to 0.0001. Shapes carry the biases of `FeedKind`.
"""

from collections import deque
from dataclasses import dataclass
from math import isqrt

from offchain.core.instruments import SHAPE_KINDS, Feed, FeedKind, Listing
from offchain.core.units import ONE_E6, ONE_E8, YEAR_NS
from offchain.pricing.surface import Surface, encode_surface
from offchain.services.ports import Spot

VOLATILITY_TICK_E8 = 10_000
SHAPE_TICK_E8 = 10_000
MIN_TILT_E8 = -9 * ONE_E8 // 10
_SHAPE_PLACES = {kind: place for place, kind in enumerate(SHAPE_KINDS, start=1)}
MIN_VOLATILITY_E8 = ONE_E8 // 20
MAX_VOLATILITY_E8 = 4 * ONE_E8
_MOVE_WEIGHT = 16


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """The constants of the model for one underlying.

    Attributes
    ----------
    basis_e6 : int
        Annual forward premium over the index. [1e-6]
    base_volatility_e8 : int
        Volatility at a high of the window and in calm. [1e-8]
    drawdown_response_e6 : int
        Volatility added for a drawdown of one. [1e-6]
    move_response_e6 : int
        Volatility added for an average absolute return of one per spot. [1e-6]
    window : int
        Spots in which the high is sought.
    slope_e8, tilt_e8, centre_e8, width_e8 : int
        Of the smile; the slope for an expiry in a year, the tilt at a high of the window. [1e-8]
    tilt_response_e6, peg_response_e6 : int
        Tilt, and price of the cash asset, lost for a drawdown of one. [1e-6]
    """

    basis_e6: int = 80_000
    base_volatility_e8: int = 45_000_000
    drawdown_response_e6: int = 2_500_000
    move_response_e6: int = 20_000_000
    window: int = 2_016
    slope_e8: int = 10_000_000
    tilt_e8: int = -20_000_000
    centre_e8: int = 0
    width_e8: int = 10_000_000
    tilt_response_e6: int = 1_000_000
    peg_response_e6: int = 10_000


class FeedModel:
    """Values of every feed of a listing, spot after spot."""

    def __init__(self, listing: Listing, terms: tuple[FeedTerms, ...]) -> None:
        if len(terms) != len(listing.underlyings):
            raise ValueError("one set of terms for each underlying")
        self.listing = listing
        self._paths = tuple(_Path(t) for t in terms)

    def values(self, spot: Spot) -> tuple[int, ...]:
        """Take in the next spot and return the value of each feed in listing order."""
        if len(spot.prices_e8) != len(self._paths):
            raise ValueError(f"{len(spot.prices_e8)} prices for {len(self._paths)} underlyings")
        for path, price in zip(self._paths, spot.prices_e8, strict=True):
            path.take(price)
        return tuple(self._value(feed, spot) for feed in self.listing.feeds)

    def _value(self, feed: Feed, spot: Spot) -> int:
        path, index = self._paths[feed.underlying], spot.prices_e8[feed.underlying]
        if feed.kind == FeedKind.VOLATILITY:
            return path.volatility_e8()
        left = max(feed.expiry_ns - spot.time_ns, 0)
        if feed.kind in _SHAPE_PLACES:
            shape = encode_surface(path.smile(left))
            return to_step(shape[_SHAPE_PLACES[feed.kind]], SHAPE_TICK_E8)
        if feed.kind == FeedKind.STABLE:
            return to_step(path.stable_e8(), SHAPE_TICK_E8)
        if feed.kind == FeedKind.FORWARD:
            index += index * path.terms.basis_e6 * left // (ONE_E6 * YEAR_NS)
        return to_step(index, self.listing.underlyings[feed.underlying].tick_e8)


class _Path:
    def __init__(self, terms: FeedTerms) -> None:
        self.terms = terms
        self._seen: deque[int] = deque(maxlen=terms.window)
        self._move_e8 = 0

    def take(self, price_e8: int) -> None:
        if self._seen:
            last = self._seen[-1]
            move = abs(price_e8 - last) * ONE_E8 // last
            self._move_e8 += (move - self._move_e8) // _MOVE_WEIGHT
        self._seen.append(price_e8)

    def drawdown_e8(self) -> int:
        high = max(self._seen)
        return (high - self._seen[-1]) * ONE_E8 // high

    def volatility_e8(self) -> int:
        drawdown_e8 = self.drawdown_e8()
        raised = (
            drawdown_e8 * self.terms.drawdown_response_e6
            + self._move_e8 * self.terms.move_response_e6
        ) // ONE_E6
        value = self.terms.base_volatility_e8 + raised
        return to_step(min(max(value, MIN_VOLATILITY_E8), MAX_VOLATILITY_E8), VOLATILITY_TICK_E8)

    def smile(self, left_ns: int) -> Surface:
        """Return the smile of an expiry, around the volatility of the moment."""
        terms = self.terms
        slope = terms.slope_e8 * isqrt(left_ns * ONE_E8 // YEAR_NS) // isqrt(ONE_E8)
        tilt = terms.tilt_e8 - self.drawdown_e8() * terms.tilt_response_e6 // ONE_E6
        return Surface(
            self.volatility_e8(), slope, max(tilt, MIN_TILT_E8), terms.centre_e8, terms.width_e8
        )

    def stable_e8(self) -> int:
        """Return the price of the cash asset. [USD e-8]"""
        return ONE_E8 - self.drawdown_e8() * self.terms.peg_response_e6 // ONE_E6


def to_step(value: int, step: int) -> int:
    """Return the multiple of `step` nearest to a positive value (halves up), never zero."""
    return max((value + step // 2) // step, 1) * step


def step_of(feed: Feed, listing: Listing) -> int:
    """Return the step to which the value of a feed is rounded. [1e-8]"""
    if feed.kind in (FeedKind.INDEX, FeedKind.FORWARD):
        return int(listing.underlyings[feed.underlying].tick_e8)
    return VOLATILITY_TICK_E8 if feed.kind == FeedKind.VOLATILITY else SHAPE_TICK_E8
