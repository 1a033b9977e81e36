"""Greeks against forty digits of mpmath, and the golden vectors."""

import json
import random
from pathlib import Path

import mpmath

from offchain.core.units import ONE_E6, ONE_E8, SECOND_NS, YEAR_NS
from offchain.pricing.greeks import ONE_E12, option_greeks

SEED = 1_973
HOUR_NS = 3_600 * SECOND_NS
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "surface.json").read_text())


def test_greeks_are_floored_after_their_stated_error() -> None:
    rng = random.Random(SEED)  # noqa: S311 - test data
    with mpmath.workdps(40):
        for _ in range(1_500):
            forward = rng.randrange(10 * ONE_E8, 200_000 * ONE_E8)
            strike = forward * rng.randrange(500_000, 2_000_000) // ONE_E6
            volatility = rng.randrange(5_000_000, 3 * ONE_E8)
            time_ns = rng.randrange(HOUR_NS, 2 * YEAR_NS)
            g = option_greeks(forward, strike, volatility, time_ns, is_call=True)
            f, k = mpmath.mpf(forward) / ONE_E8, mpmath.mpf(strike) / ONE_E8
            sigma, t = mpmath.mpf(volatility) / ONE_E8, mpmath.mpf(time_ns) / YEAR_NS
            w = sigma * mpmath.sqrt(t)
            d1 = mpmath.log(f / k) / w + w / 2
            peak, phi = mpmath.npdf(0), mpmath.npdf(d1)
            gamma = ONE_E12 / (f * w)
            vega = f * mpmath.sqrt(t) / 100 * ONE_E8
            theta = -f * sigma / (2 * mpmath.sqrt(t)) / 365 * ONE_E8
            checks = [(g.delta_e8, mpmath.ncdf(d1) * ONE_E8, mpmath.mpf("3e-14") * ONE_E8)]
            checks += [
                (found, phi * scale, abs(scale) * peak * mpmath.mpf("1e-12"))
                for found, scale in ((g.gamma_e12, gamma), (g.vega_e8, vega), (g.theta_e8, theta))
            ]
            for found, true, error in checks:
                assert -error <= true - found < 1 + error


def test_vectors_hold() -> None:
    """The rows of the smile vectors carry the Greeks of each option's own volatility."""
    instruments = {i["id"]: i for i in VECTORS["listing"]["instruments"]}
    checked = 0
    for case in VECTORS["cases"]:
        for row in case["rows"]:
            listed, of = instruments[row["id"]], row["quote"]
            if listed["kind"] in ("2", "3") and of["remaining_ns"] != "0":
                found = option_greeks(
                    int(of["price_e8"]),
                    int(listed["strike_e8"]),
                    int(of["volatility_e8"]),
                    int(of["remaining_ns"]),
                    is_call=listed["kind"] == "2",
                )
                expected = {name: int(value) for name, value in row["greeks"].items()}
                assert {name: getattr(found, name) for name in expected} == expected
                checked += 1
    assert checked > 80
