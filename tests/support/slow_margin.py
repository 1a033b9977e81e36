"""What accounts must hold, slowly: RISK_MODEL.md on dictionaries, fractions and unbounded integers.

Nothing of `offchain.core` is called: curves are summed tier by tier, tails are fractions, worst
fills are found order by order. Marks, lot values, losses, deltas and vegas are data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isqrt
from statistics import median_low

from offchain.core.instruments import FeedKind, Instrument
from offchain.core.model_parameters import CollateralParameters, Tier
from offchain.core.parameters import RiskParameters
from offchain.pricing.risk_array import RiskArrays

ONE = 10**6
YEAR = 365 * 86_400 * 10**9
DAY = 86_400 * 10**9
ISOLATED, CROSS, PORTFOLIO = range(3)
Fill = tuple[int, int, int]
"""(instrument, signed lots, limit price e8) of an order that may fill."""


def share(amount: int, rate: int, one: int = ONE) -> int:
    """Return a share of an amount, rounded up."""
    return ceil(Fraction(amount * rate, one))


def tiers_on(amount: int, tiers: Sequence[Tier]) -> int:
    """Return the sum of marginal rates on the parts of an amount, rounded up once."""
    total = Fraction(0)
    bounds = [t.lower_e6 for t in tiers[1:]] + [amount]
    for tier, upper in zip(tiers, bounds, strict=True):
        part = max(0, min(amount, upper) - tier.lower_e6)
        total += Fraction(part * tier.rate_e6, ONE)
    return ceil(total)


@dataclass
class Prices:
    """What the last accepted report says, for each instrument."""

    marks: dict[int, int]
    values: dict[int, int]
    losses: dict[int, list[int]]
    deltas: dict[int, int]
    vegas: dict[int, int]
    history: dict[int, list[int]]

    @classmethod
    def of(cls, arrays: RiskArrays, history: object, ids: list[int]) -> "Prices":
        return cls(
            {i: int(arrays.marks_e8[i]) for i in ids},
            {i: int(arrays.lot_values_e6[i]) for i in ids},
            {i: [int(x) for x in arrays.losses_e6[i]] for i in ids},
            {i: int(arrays.deltas_e6[i]) for i in ids},
            {i: int(arrays.vegas_e6[i]) for i in ids},
            {} if history is None else {i: [int(x) for x in history[i]] for i in ids},  # type: ignore[index]
        )

    def __deepcopy__(self, _memo: object) -> "Prices":
        return self  # replaced, never changed


@dataclass
class Memory:
    """What the haircut of one asset remembers."""

    price: int = 0
    time: int = 0
    fast: int = 0
    slow: int = 0
    haircut: int = 0
    fell_at: int = 0

    def see(self, price: int, now: int, of: CollateralParameters) -> None:
        """Take in a price: averages of variance by the day, up at once, down by the ratchet."""
        if self.price == 0:
            self.price, self.time, self.fell_at = price, now, now
            self.haircut = of.haircut_floor_e6
            return
        gone = now - self.time
        move = floor(Fraction((price - self.price) * 10**9, self.price))
        daily = move**2 * DAY // gone
        self.fast += floor(Fraction((daily - self.fast) * min(gone, DAY), DAY))
        self.slow += floor(Fraction((daily - self.slow) * min(gone, 7 * DAY), 7 * DAY))
        self.fast, self.slow = min(self.fast, 10**20), min(self.slow, 10**20)
        deviation = isqrt(max(self.fast, self.slow) * of.horizon_ns // DAY) + 1
        target = ceil(Fraction(of.multiplier_e6 * deviation, 10**9))
        target = max(of.haircut_floor_e6, min(of.haircut_cap_e6, target))
        allowed = of.ratchet_e6 * (now - self.fell_at) // DAY
        if target >= self.haircut:
            self.haircut, self.fell_at = target, now
        elif allowed:
            self.haircut, self.fell_at = max(target, self.haircut - allowed), now
        self.price, self.time = price, now


def agreement(seen: Sequence[int], dispersion: int) -> int:
    """Return how far observers agree: one less median deviation over the dispersion."""
    middle = median_low(seen)
    spread = median_low([abs(x - middle) for x in seen])
    return max(0, ONE - ceil(Fraction(spread * ONE * ONE, middle * dispersion)))


def trusts(rules: RiskParameters, seen: list[tuple[int, ...]], now: int) -> list[int]:
    """Return how far the observers agree on index and forwards of each underlying. [e-6]"""
    return [
        min(
            agreement([values[place] for values in seen], terms.dispersion_e6)
            for place, feed in enumerate(rules.listing.feeds)
            if feed.underlying == u
            and feed.kind.name in ("INDEX", "FORWARD")
            and not 0 < feed.expiry_ns <= now
        )
        for u, terms in enumerate(rules.addons)
    ]


@dataclass
class World:
    """Everything that a requirement depends on, besides the account."""

    rules: RiskParameters
    listed: dict[int, Instrument]
    prices: Prices
    medians: tuple[int, ...]
    at: int  # time of the report
    rates: Sequence[int]  # of funding, by underlying
    trust: Sequence[int]  # confidence, by underlying
    longs: Mapping[int, int]  # open interest

    def index_lot(self, i: int) -> int:
        return self.medians[i >> 8] // self.rules.listing.underlyings[i >> 8].lot_divisor

    def median(self, kind: FeedKind, underlying: int, expiry: int) -> int:
        (place,) = (
            p
            for p, f in enumerate(self.rules.listing.feeds)
            if (f.kind, f.underlying, f.expiry_ns) == (kind, underlying, expiry)
        )
        return self.medians[place]

    # Charges of one lot.

    def roll(self, i: int) -> int:
        a, delta = self.rules.addons[i >> 8], self.prices.deltas[i]
        left = max(0, self.listed[i].expiry_ns - self.at)
        move = min(ONE, max(a.roll_min_e6, a.roll_rate_e6 * left // YEAR))
        size = share(abs(delta), move)
        return size if delta > 0 else -size

    def holding(self, i: int, lots: int) -> int:
        """Return closing fee, funding and naked-option charge of a position."""
        listed, lot = self.listed[i], self.index_lot(i)
        per_lot = share(self.prices.values[i], self.rules.taker_fee_e6)
        if listed.kind == 0:
            owed = self.rates[i >> 8] if lots > 0 else -self.rates[i >> 8]
            per_lot += share(lot, max(0, owed), 10**8)
        if listed.is_option and lots < 0:
            per_lot += share(lot, self.rules.addons[i >> 8].naked_mm_e6)
        return abs(lots) * per_lot

    def unwind(self, i: int) -> int:
        a = self.rules.addons[i >> 8]
        rate = a.unwind_option_e6 if self.listed[i].is_option else a.unwind_linear_e6
        return share(self.index_lot(i), rate)

    def calm(self, i: int) -> int:
        listed = self.listed[i]
        if not listed.is_option:
            return 0
        now = self.median(FeedKind.VOLATILITY, i >> 8, listed.expiry_ns)
        gap = max(0, self.rules.addons[i >> 8].calm_vol_e8 - now)
        return floor(Fraction(self.prices.vegas[i] * gap, ONE))

    def doubt(self, i: int) -> int:
        a, trust = self.rules.addons[i >> 8], self.trust[i >> 8]
        if trust >= a.confidence_threshold_e6:
            return 0
        return share(self.index_lot(i) * a.confidence_factor_e6, ONE - trust, ONE * ONE)

    def naked_extra(self, i: int) -> int:
        rate = self.rules.addons[i >> 8].naked_im_e6 if self.listed[i].is_option else 0
        return share(self.index_lot(i), rate)

    # Requirements of a portfolio.

    def slip(self, fill: Fill) -> int:
        i, _, price = fill
        divisor = self.rules.listing.underlyings[i >> 8].lot_divisor
        return price // divisor - self.prices.values[i]

    def losses(self, held: Mapping[int, int], fills: Iterable[Fill], s: int, u: int) -> int:
        loss = sum(q * self.prices.losses[i][s] for i, q in held.items() if i >> 8 == u)
        for fill in fills:
            i, q, _ = fill
            if i >> 8 == u:
                loss += max(0, q * (self.prices.losses[i][s] + self.slip(fill)))
        return loss

    def scan(self, held: Mapping[int, int], fills: Sequence[Fill]) -> int:
        terms = self.rules.correlation
        worst = [0] * len(self.rules.listing.underlyings)
        most = 0
        for s in range(36):
            each = [self.losses(held, fills, s, u) for u in range(len(worst))]
            gains = -sum(min(0, x) for x in each)
            credit = min(terms.offset_cap_usd * ONE, gains * terms.offset_e6 // ONE)
            most = max(most, sum(max(0, x) for x in each) - credit)
            worst = [max(a, b) for a, b in zip(worst, each, strict=True)]
        return max(most, share(sum(worst), terms.breakdown_e6))

    def farthest(
        self, held: Mapping[int, int], fills: Sequence[Fill], of: Callable[[int], int]
    ) -> int:
        """Return the largest size that a net sum of charges may reach when orders fill."""
        net = sum(q * of(i) for i, q in held.items())
        steps = [q * of(i) for i, q, _ in fills]
        up, down = sum(x for x in steps if x > 0), sum(x for x in steps if x < 0)
        return max(abs(net + up), abs(net + down))

    def ends(self, held: Mapping[int, int], fills: Sequence[Fill], i: int) -> tuple[int, int]:
        """Return the longest and the shortest position in an instrument that may come about."""
        base = held.get(i, 0)
        mine = [q for j, q, _ in fills if j == i]
        return base + sum(q for q in mine if q > 0), base + sum(q for q in mine if q < 0)

    def addons(
        self, held: Mapping[int, int], fills: Sequence[Fill], *, initial: bool
    ) -> tuple[int, int]:
        """Return (what is added to the scan risk, the unwinding cost)."""
        added = floor_ = 0
        for u, terms in enumerate(self.rules.addons):
            mine = {i: q for i, q in held.items() if i >> 8 == u}
            may = [f for f in fills if f[0] >> 8 == u]
            ids = sorted({*mine, *(i for i, _, _ in may)})
            for expiry in {self.listed[i].expiry_ns for i in ids}:
                here = {i: q for i, q in mine.items() if self.listed[i].expiry_ns == expiry}
                then = [f for f in may if self.listed[f[0]].expiry_ns == expiry]
                added += self.farthest(here, then, self.roll)
                if initial:
                    vega = sum(q * self.calm(i) for i, q in here.items())
                    vega += sum(min(0, q * self.calm(i)) for i, q, _ in then)
                    added += share(max(0, -vega), terms.calm_cover_e6)
            delta = self.farthest(mine, may, lambda i: self.prices.deltas[i])
            added += tiers_on(delta, terms.delta_tiers)
            raw = 0
            for i in ids:
                top, bottom = self.ends(mine, may, i)
                most = max(abs(top), abs(bottom))
                raw += most * self.unwind(i)
                added += max(self.holding(i, top), self.holding(i, bottom))
                if initial:
                    added += max(0, -bottom) * self.naked_extra(i) + most * self.doubt(i)
            floor_ += tiers_on(raw, terms.unwind_tiers)
        return added, floor_

    def peg(self) -> int:
        kinds = [f.kind for f in self.rules.listing.feeds]
        stable = self.medians[kinds.index(FeedKind.STABLE)]
        gap = max(0, self.rules.peg.threshold_e8 - stable)
        return share(gap, self.rules.peg.factor_e6, 10**8)

    def shortfall(self, held: Mapping[int, int], fills: Sequence[Fill]) -> int:
        """Return the mean of the worst share of historical losses, the last one in part."""
        (model,) = self.rules.shortfall
        losses = []
        for s in range(len(model.moves)):
            loss = sum(q * self.prices.history[i][s] for i, q in held.items())
            for fill in fills:
                i, q, _ = fill
                loss += max(0, q * (self.prices.history[i][s] + self.slip(fill)))
            losses.append(loss)
        size = left = Fraction(len(losses) * (ONE - model.confidence_e6), ONE)
        total = Fraction(0)
        for loss in sorted(losses, reverse=True):
            weight = min(left, Fraction(1))
            total, left = total + weight * loss, left - weight
        return max(0, ceil(total / size))

    # What an account must hold.

    def maintenance(self, mode: int, held: Mapping[int, int]) -> int:
        if mode != PORTFOLIO:
            return sum(self.linear(i, q, q, q)[0] for i, q in held.items())
        added, floor_ = self.addons(held, (), initial=False)
        return share(max(self.scan(held, ()) + added, floor_), self.rules.mm_factor_e6)

    def initial(self, mode: int, held: Mapping[int, int], fills: Sequence[Fill]) -> int:
        least = self.maintenance(mode, held)
        if not held and not fills:
            return 0
        if mode != PORTFOLIO:
            base = sum(max(0, fill[1] * self.slip(fill)) for fill in fills)
            for i in {*held, *(i for i, _, _ in fills)}:
                base += self.linear(i, held.get(i, 0), *self.ends(held, fills, i))[1]
            return max(least, share(base, ONE + self.peg()))
        added, floor_ = self.addons(held, fills, initial=True)
        im = share(max(self.scan(held, fills) + added, floor_), ONE + self.peg())
        for model in self.rules.shortfall:
            other, weight = self.shortfall(held, fills), model.weight_e6
            im = max(im, other)
            if weight:
                own = share(max(self.scan(held, fills) + added, floor_), ONE + self.peg())
                im = ceil(Fraction((ONE - weight) * own + weight * other, ONE))
        return max(least, im)

    def linear(self, i: int, lots: int, top: int, bottom: int) -> tuple[int, int]:
        """Return (MM, IM) of one perpetual or future by tiers."""
        of = self.rules.classes[self.rules.class_of[i >> 8]]
        per_lot, open_lots = self.prices.deltas[i], self.longs.get(i, 0)
        mm = tiers_on(abs(lots) * per_lot, of.tiers)
        most = max(abs(top), abs(bottom))
        notional = most * per_lot
        base = share(of.tiers[0].rate_e6, of.im_multiple_e6)
        lower, upper = of.oi_lower_usd * ONE, of.oi_upper_usd * ONE
        interest = (open_lots + max(top - lots, lots - bottom)) * per_lot
        rise = ceil(Fraction(max(0, interest - lower) * (ONE - base), upper - lower))
        by_interest = share(notional, min(ONE, base + rise))
        by_tier = share(tiers_on(notional, of.tiers), of.im_multiple_e6)
        extra = 0
        above = notional - of.concentration_free_usd * ONE
        if above > 0:
            part = Fraction(most, max(open_lots, most)) - Fraction(of.concentration_share_e6, ONE)
            slope = Fraction(of.concentration_slope_e6, ONE)
            extra = ceil(max(Fraction(0), above * slope * part))
        return mm, max(mm, min(notional, max(by_tier, by_interest) + extra))
