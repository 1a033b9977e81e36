"""Derive's margin rules a second time: one loop after another, 30 digits, from derive.md section 7.

Written apart from `offchain.models` and sharing nothing with it but the file format. Slow on
purpose: every price is computed where it is needed, in the words of the source.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mpmath import mp, mpf

mp.dps = 30
YEAR = mpf(31_536_000)
MONTH = mpf(2_592_000)
WINDOW = mpf(1_800)
Real = Any  # an mpf: mpmath carries no types
File = Mapping[str, Any]
Parameters = Mapping[str, Any]


def real(value: float | str) -> Real:
    """Return what the file says as a float says it: both sides start from the same number."""
    return mpf(float(value))


def normal(x: Real) -> Real:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def price(forward: Real, strike: Real, vol: Real, tau: Real, discount: Real, kind: str) -> Real:
    """7.5, literally."""
    if strike == 0:
        return forward * discount if kind == "call" else mpf(0)
    if forward == 0:
        return mpf(0) if kind == "call" else strike * discount
    t = max(vol * mp.sqrt(tau), mpf("1e-18"))
    x = max(strike / forward, mpf("1e-18"))
    if t >= 24:
        c = mpf(1)
    else:
        d1 = (t**2 / 2 - mp.log(x)) / t
        d2 = d1 - t
        c = max(mpf(0), normal(d1) - x * normal(d2))
    p = max(mpf(0), c + x - 1)
    return (min(c, 1) if kind == "call" else min(p, x)) * forward * discount


def svi(shape: Mapping[str, float], strike: Real) -> Real:
    """7.3, literally."""
    if strike == 0:
        return mpf(0)
    a, b, rho = real(shape["a"]), real(shape["b"]), real(shape["rho"])
    m, sigma, tau = real(shape["m"]), real(shape["sigma"]), real(shape["tau"])
    bound = 4 * mp.sqrt(a + b * sigma)
    k = max(min(mp.log(strike / real(shape["forward"])), bound), -bound)
    w = a + b * (rho * (k - m) + mp.sqrt((k - m) ** 2 + sigma**2))
    assert w >= 0
    return mp.sqrt(min(w, mpf(144)) / tau)


class Leg:
    """An option with what 7.2 to 7.4 say about its expiry."""

    def __init__(self, position: Mapping[str, Any], market: Mapping[str, Any]) -> None:
        self.label = position["expiry"]
        expiry = market["expiries"][self.label]
        self.kind, self.n = position["kind"], real(position["amount"])
        self.strike = real(position["strike"])
        self.seconds = real(expiry["seconds"])
        self.tau = self.seconds / YEAR
        self.rate = max(real(expiry.get("rate", 0.0)), mpf(0))
        if "forward_fixed" in expiry:
            self.fixed = real(expiry["forward_fixed"])
            self.variable = real(expiry["forward_variable"])
        elif self.seconds >= WINDOW:
            self.fixed, self.variable = mpf(0), real(expiry["forward"])
        else:
            self.fixed = real(expiry["forward"]) * (WINDOW - self.seconds) / WINDOW
            self.variable = real(expiry["forward"]) * self.seconds / WINDOW
        self.vol = (
            svi(expiry["svi"], self.strike) if "svi" in expiry else real(expiry["volatility"])
        )
        self.confidence = {k: real(v) for k, v in expiry.get("confidence", {}).items()}

    def worth(self, s: Real, vol: Real, *, discounted: bool) -> Real:
        discount = mp.exp(-self.rate * self.tau) if discounted else mpf(1)
        forward = self.variable * s + self.fixed
        return self.n * price(forward, self.strike, vol, self.tau, discount, self.kind)


def scale(seconds: Real, p: Parameters) -> Real:
    power = p["short_power"] if seconds <= MONTH else p["long_power"]
    floor = real(p["dte_floor_days"]) * 86_400
    return (MONTH / max(seconds, floor)) ** real(power)


def legs_of(file: File, market: Mapping[str, Any]) -> dict[str, list[Leg]]:
    """Return the options by expiry; an account holds one balance of each contract."""
    found: dict[str, list[Leg]] = {}
    for position in file["positions"]:
        if position["kind"] in {"call", "put"}:
            leg = Leg(position, market)
            held = found.setdefault(leg.label, [])
            same = [x for x in held if (x.strike, x.kind) == (leg.strike, leg.kind)]
            if same:
                same[0].n += leg.n
            else:
                held.append(leg)
    return found


def naked(legs: Sequence[Leg]) -> Real:
    """7.9: each strike of an expiry apart."""
    total = mpf(0)
    for strike in {leg.strike for leg in legs}:
        calls = sum((leg.n for leg in legs if leg.strike == strike and leg.kind == "call"), mpf(0))
        puts = sum((leg.n for leg in legs if leg.strike == strike and leg.kind == "put"), mpf(0))
        if calls < 0 and puts < 0:
            total += abs(calls) + abs(puts)
        elif calls < 0 < puts or puts < 0 < calls:
            short, long = abs(min(calls, puts)), max(calls, puts)
            total += short - min(short, long)
        else:
            total += abs(min(calls, puts, mpf(0)))
    return total


def skewed(leg: Leg, kind: str, p: Parameters) -> Real:
    """7.7, skew scenarios."""
    base_cap, c_base = real(p[f"{kind}_base_cap"]), real(p[f"{kind}_c_base"])
    q = mp.sqrt(leg.tau)
    cap = c_base * q + base_cap
    spread = q * real(p["width"]) * (real(p["vol_param_static"]) + q * real(p["vol_param_scale"]))
    star = max(real(p["min_k_star"]), spread)
    forward = leg.variable + leg.fixed
    if leg.strike == 0 or forward == 0:
        return leg.vol
    k = mp.log(leg.strike / forward)
    if kind == "abs":
        k = abs(k)
    y = k * cap / star
    mult = 1 + min(cap, y) if k >= 0 else 1 + max(-cap, y)
    return leg.vol * max(mpf(0), mult)


def perp_of(file: File, market: Mapping[str, Any]) -> tuple[Real, Real, Real]:
    """Return amount, price and profit of the perpetual; the profit counts only with a position."""
    held = [p for p in file["positions"] if p["kind"] == "perpetual"]
    amount = sum((real(p["amount"]) for p in held), mpf(0))
    x = real(market.get("perpetual", {}).get("price", market["spot"]))
    pnl = sum((real(p.get("unrealised_pnl", 0.0)) for p in held), mpf(0))
    return amount, x, pnl if amount != 0 else mpf(0)


def worst_of(e: Sequence[Leg], shocks: Callable[[Leg], Real], p: Parameters, disc: bool) -> Real:
    """Return the forward contingency C of one expiry (7.6)."""
    now = sum((leg.worth(mpf(1), leg.vol, discounted=disc) for leg in e), mpf(0))
    moved = [
        sum((leg.worth(real(p[side]), shocks(leg), discounted=disc) for leg in e), mpf(0)) - now
        for side in ("forward_up", "forward_down")
    ]
    return min(*moved, mpf(0)) * (real(p["add_factor"]) + real(p["mult_factor"]) * e[0].tau)


def doubt(confidence: Real, notional: Real, p: Parameters) -> Real:
    if confidence >= real(p["confidence_threshold"]):
        return mpf(0)
    return (1 - confidence) * real(p["confidence_margin"]) * notional


def lowest(market: Mapping[str, Any], leg: Leg, names: Sequence[str]) -> Real:
    spot = real(market.get("confidence", 1.0))
    return min(spot, *(leg.confidence.get(name, mpf(1)) for name in names))


def slow_pm2(file: File, p: Parameters) -> dict[str, Any]:  # noqa: C901, PLR0912, PLR0915  reads as its source does
    """7.6 to 7.10. Returns MM, IM, max loss and the profit of every scenario."""
    market = next(iter(file["underlyings"].values()))
    spot, stable = real(market["spot"]), real(file.get("stable_price", 1.0))
    expiries = legs_of(file, market)
    amount, x, perp_pnl = perp_of(file, market)
    held = file.get("collateral", [])
    value = [real(c["amount"]) * real(c["price"]) / stable for c in held]
    marks, basis = {}, mpf(0)
    for label, e in expiries.items():
        marks[label] = sum((leg.worth(mpf(1), leg.vol, discounted=True) for leg in e), mpf(0))
        basis += worst_of(e, lambda leg: leg.vol, p, True)
    profits = []
    for scenario in p["scenarios"]:
        s, w, kind = real(scenario["price"]), real(scenario["weight"]), scenario["volatility"]
        total = amount * x * (s - 1) * w
        for c, v in zip(held, value, strict=True):
            if c.get("risk_cancelling", False):
                total += v * (s - 1) * w
        for label, e in expiries.items():
            first = e[0]
            h = scale(first.seconds, p)
            shifted = mpf(1) if kind in {"linear", "abs"} else s
            worth = mpf(0)
            for leg in e:
                if kind == "up":
                    vol = max(real(p["min_vol_up"]), leg.vol * (1 + real(p["vol_up"]) * h))
                elif kind == "down":
                    vol = leg.vol * max(mpf(0), 1 - real(p["vol_down"]) * h)
                elif kind == "none":
                    vol = leg.vol
                else:
                    vol = skewed(leg, kind, p)
                worth += leg.worth(shifted, vol, discounted=True)
            r, tau = first.rate, first.tau
            if worth >= 0:
                growth = r * real(p["long_mult"]) + real(p["long_add"])
                discount = real(p["long_base"]) * mp.exp(-tau * growth)
            else:
                growth = r * real(p["short_mult"]) + real(p["short_add"])
                discount = min(mp.exp(r * tau), real(p["short_base"]) * mp.exp(tau * growth))
            pnl = (worth * discount - marks[label]) * w
            total += -abs(pnl) if kind in {"linear", "abs"} else pnl
        profits.append(total)
    loss = min(basis, *profits)
    size = abs(amount) * spot
    shorts = sum((naked(e) for e in expiries.values()), mpf(0)) * spot
    mm_cont = size * real(p["perp_mm"]) + shorts * real(p["option_mm"])
    im_cont = size * real(p["perp_im"]) + shorts * real(p["option_im"])
    trust = real(market.get("confidence", 1.0))
    linear_trust = trust
    if amount != 0:
        linear_trust = min(trust, real(market.get("perpetual", {}).get("confidence", 1.0)))
    oracle = doubt(linear_trust, size, p)
    for e in expiries.values():
        gross = sum((abs(leg.n) for leg in e), mpf(0)) * spot
        oracle += doubt(lowest(market, e[0], ("forward", "rate", "volatility")), gross, p)
    for c, v in zip(held, value, strict=True):
        mm_cont += v * real(c.get("haircut_mm", 0.0))
        im_cont += v * real(c.get("haircut_im", 0.0))
        oracle += doubt(min(real(c.get("confidence", 1.0)), trust), v, p)
    mtm = sum(marks.values(), mpf(0)) + sum(value, mpf(0)) + perp_pnl
    rest = mtm + real(file.get("cash", 0.0)) - mm_cont
    peg = max(mpf(0), real(p["peg_threshold"]) - stable) * real(p["peg_factor"])
    return {
        "mm": real(p["mm_factor"]) * loss + rest,
        "im": (real(p["im_factor"]) + peg) * loss + rest - im_cont - oracle,
        "max_loss": loss,
        "profits": profits,
    }


def slow_pm1(file: File, p: Parameters) -> dict[str, Any]:
    """7.12. Collateral that names the underlying is the base asset."""
    market = next(iter(file["underlyings"].values()))
    spot, stable = real(market["spot"]), real(file.get("stable_price", 1.0))
    expiries = legs_of(file, market)
    amount, x, perp_pnl = perp_of(file, market)
    base = sum((real(c["amount"]) for c in file.get("collateral", [])), mpf(0))
    v = base * spot / stable
    marks, basis = {}, mpf(0)
    for label, e in expiries.items():
        marks[label] = sum((leg.worth(mpf(1), leg.vol, discounted=False) for leg in e), mpf(0))
        basis += worst_of(e, lambda leg: leg.vol, p, False)
    profits = []
    for scenario in p["scenarios"]:
        s, kind = real(scenario["price"]), scenario["volatility"]
        total = v * (s - 1) + amount * x * (s - 1)
        for label, e in expiries.items():
            h = scale(e[0].seconds, p)
            up, down = 1 + real(p["vol_up"]) * h, max(mpf(0), 1 - real(p["vol_down"]) * h)
            factor = {"up": up, "none": mpf(1), "down": down}[kind]
            worth = sum((leg.worth(s, leg.vol * factor, discounted=False) for leg in e), mpf(0))
            if worth > 0:
                growth = e[0].rate * real(p["long_mult"]) + real(p["long_add"])
                worth *= real(p["long_base"]) * mp.exp(-e[0].tau * growth)
            total += worth - marks[label]
        profits.append(total)
    loss = min(basis, *profits)
    static = (abs(amount) * real(p["perp_percentage"]) + base * real(p["base_percentage"])) * spot
    trust = real(market.get("confidence", 1.0))
    linear_trust = trust
    if amount != 0:
        linear_trust = min(trust, real(market.get("perpetual", {}).get("confidence", 1.0)))
    oracle = doubt(linear_trust, (abs(amount) + base) * spot, p)
    for e in expiries.values():
        static += naked(e) * real(p["option_percentage"]) * spot
        gross = sum((abs(leg.n) for leg in e), mpf(0)) * spot
        oracle += doubt(lowest(market, e[0], ("forward", "rate", "volatility")), gross, p)
    rest = sum(marks.values(), mpf(0)) + v + perp_pnl + real(file.get("cash", 0.0))
    peg = max(mpf(0), real(p["peg_threshold"]) - stable) * real(p["peg_factor"])
    return {
        "mm": loss - static + rest,
        "im": (loss - static) * (real(p["im_factor"]) + peg) - oracle + rest,
        "max_loss": loss,
        "profits": profits,
    }


def slow_srm(file: File, p: Parameters) -> dict[str, Any]:  # noqa: C901  reads as its source does
    """7.13 for one market. Collateral that names the underlying is the base asset."""
    market = next(iter(file["underlyings"].values()))
    spot, stable = real(market["spot"]), real(file.get("stable_price", 1.0))
    amount, x, perp_pnl = perp_of(file, market)
    base = sum((real(c["amount"]) for c in file.get("collateral", [])), mpf(0))
    trust = real(market.get("confidence", 1.0))
    totals = {}
    for which in ("mm", "im"):
        total = real(file.get("cash", 0.0)) + perp_pnl
        shorts = mpf(0)
        for e in legs_of(file, market).values():
            isolated, calls = mpf(0), mpf(0)
            for leg in e:
                mark = leg.worth(mpf(1), leg.vol, discounted=False)
                isolated += slow_isolated(leg, mark, spot, p, which)
                calls += leg.n if leg.kind == "call" else mpf(0)
            worst = mpf(0)
            for z in [mpf(0), *(leg.strike for leg in e)]:
                pays = mpf(0)
                for leg in e:
                    inside = z - leg.strike if leg.kind == "call" else leg.strike - z
                    pays += leg.n * max(inside, mpf(0))
                worst = min(worst, pays)
            if calls < 0:
                worst += real(p[f"unpaired_{which}"]) * (e[0].variable + e[0].fixed) * calls
            total += max(isolated, worst)
            short = sum((-leg.n for leg in e if leg.n < 0), mpf(0))
            shorts += short
            sure = lowest(market, e[0], ("forward", "volatility"))
            if which == "im" and sure < real(p["option_confidence_threshold"]):
                total -= (1 - sure) * real(p["oracle_factor"]) * spot * short
        total -= abs(amount) * x * real(p[f"perp_{which}"])
        held = base * spot * real(p["base_factor"])
        if which == "im":
            held *= real(p["im_scale"])
            gap = max(mpf(0), real(p["depeg_threshold"]) - stable)
            total -= gap * real(p["depeg_factor"]) * spot * (abs(amount) + shorts)
            both = min(trust, real(market.get("perpetual", {}).get("confidence", 1.0)))
            if both < real(p["perp_confidence_threshold"]):
                total -= (1 - both) * real(p["oracle_factor"]) * spot * abs(amount)
            if trust < real(p["base_confidence_threshold"]) and held > 0:
                total -= (1 - trust) * real(p["oracle_factor"]) * base * spot
        totals[which] = total + held
    return totals


def slow_isolated(leg: Leg, mark: Real, spot: Real, p: Parameters, which: str) -> Real:
    """Return one row of the table of 7.13."""
    if leg.n >= 0:
        return mpf(0)
    call = leg.kind == "call"
    out = (leg.strike - spot) / spot if call else (spot - leg.strike) / spot
    margin = max(real(p["min_spot"]), real(p["max_spot"]) - max(mpf(0), out)) * spot * leg.n
    if call:
        return mark + (margin if which == "im" else real(p["mm_call"]) * spot * leg.n)
    mm = mark + min(real(p["mm_put"]) * spot * leg.n, real(p["mm_put_mtm"]) * mark)
    return mm if which == "mm" else min(mark + margin, real(p["mm_offset"]) * mm)
