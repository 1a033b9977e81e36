"""Rules of single models, by hand and by property."""

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.app.margin_command import answer_of
from offchain.models import derive_parameters as derive
from offchain.models.black import generalised_black_scholes, option_prices
from offchain.models.derive_auction import discount_at, insolvent_price, largest_share
from offchain.models.derive_terms import naked_short
from offchain.models.linear_margin import DydxParameters, SquareRootParameters
from offchain.models.portfolio import resolve
from offchain.models.registry import price
from offchain.models.schema import read_portfolio
from offchain.models.tiers import Tier, deductions, tiered
from offchain.models.venue_parameters import OKX_MAJORS, PARADEX
from tests.support.random_portfolios import random_portfolio


def run(file: dict[str, Any], model: str, name: str | None = None) -> dict[str, Any]:
    return answer_of(read_portfolio(file), model, name)


def line(found: dict[str, Any], name: str) -> float:
    return float(next(x["amount"] for x in found["lines"] if x["name"] == name))


def scaled(file: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return a portfolio with every holding multiplied."""
    bigger = copy.deepcopy(file)
    bigger["cash"] *= factor
    for position in bigger["positions"]:
        position["amount"] *= factor
        if "unrealised_pnl" in position:
            position["unrealised_pnl"] *= factor
    for held in bigger["collateral"]:
        held["amount"] *= factor
    return bigger


@pytest.mark.parametrize("model", ["derive-pm2", "derive-pm1", "derive-srm"])
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.25, 2.0, 8.0]))
def test_derive_margins_are_homogeneous_of_degree_one(model: str, seed: int, factor: float) -> None:
    file = random_portfolio(seed, options=4)
    once, many = run(file, model, "tests"), run(scaled(file, factor), model, "tests")
    size = 1e-9 * (1 + abs(once["equity"]) + abs(once["initial_margin"]))
    for key in ("net_initial", "net_maintenance", "mark_to_market"):
        assert many[key] == pytest.approx(factor * once[key], rel=1e-12, abs=factor * size)


@given(st.integers(0, 10_000))
def test_pm2_asks_no_less_initially_than_for_maintenance(seed: int) -> None:
    found = run(random_portfolio(seed), "derive-pm2", "tests")
    assert found["net_initial"] <= found["net_maintenance"] + 1e-9


@given(st.integers(0, 10_000))
def test_the_forward_contingency_and_the_worst_loss_are_never_gains(seed: int) -> None:
    found = run(random_portfolio(seed), "derive-pm2", "mainnet")
    basis, worst = line(found, "forward contingency"), line(found, "max loss")
    assert worst <= basis <= 0
    assert worst <= min(s["pnl"] for s in found["scenarios"])


@given(st.integers(0, 10_000))
def test_skew_scenarios_let_no_expiry_offset_another(seed: int) -> None:
    found = run(random_portfolio(seed), "derive-pm2", "tests")
    for scenario in found["scenarios"]:
        if scenario["volatility"] in {"linear", "abs"}:
            assert all(pnl <= 0 for pnl in scenario["by_expiry"].values())


def test_the_grids_of_derive_have_the_published_sizes() -> None:
    assert len(derive.PM2_MAINNET.scenarios) == 33
    assert len(derive.PM2_TESTS.scenarios) == 31
    assert len(derive.PM1_MAINNET.scenarios) == 23
    assert len(derive.PM1_TESTS.scenarios) == 21
    weights = [s.weight for s in derive.PM2_MAINNET.scenarios[23:31]]
    published = [0.21, 0.42, 0.2772, 0.1386, 0.0693, 0.0462, 0.03465, 0.02772]
    assert weights == pytest.approx(published)


NAKED = [
    ([("call", 100, -2)], 2),
    ([("call", 100, 2)], 0),
    ([("call", 100, -2), ("put", 100, 1)], 1),
    ([("call", 100, -2), ("put", 100, 5)], 0),
    ([("call", 100, -2), ("put", 100, -3)], 5),
    ([("call", 100, -2), ("call", 110, 2)], 2),
    ([("put", 100, -2), ("call", 110, 2), ("put", 110, -1)], 2),
]


@pytest.mark.parametrize(("legs", "size"), NAKED)
def test_naked_shorts_net_calls_against_puts_at_one_strike_only(
    legs: list[tuple[str, float, float]], size: float
) -> None:
    file = {
        "underlyings": {
            "U": {"spot": 100, "expiries": {"e": {"years": 1, "forward": 100, "volatility": 1}}}
        },
        "positions": [
            {"kind": k, "underlying": "U", "expiry": "e", "strike": x, "amount": n}
            for k, x, n in legs
        ],
    }
    assert naked_short(resolve(read_portfolio(file)).markets[0], 0) == size


def test_inside_the_settlement_window_only_the_open_part_of_the_forward_moves() -> None:
    def forward(seconds: float) -> tuple[float, float]:
        file = {
            "underlyings": {
                "U": {
                    "spot": 100,
                    "expiries": {"e": {"seconds": seconds, "forward": 90, "volatility": 1}},
                }
            },
            "positions": [
                {"kind": "call", "underlying": "U", "expiry": "e", "strike": 90, "amount": 1}
            ],
        }
        state = resolve(read_portfolio(file)).markets[0].expiries[0]
        return state.fixed, state.variable

    assert forward(1_800) == (0, 90)
    assert forward(450) == (67.5, 22.5)
    assert forward(0) == (90, 0)


@given(st.floats(1, 1e5), st.floats(0.2, 5), st.floats(0.01, 3), st.floats(0.001, 3), st.booleans())
def test_black76_and_the_generalised_form_agree(
    forward: float, ratio: float, volatility: float, tau: float, is_call: bool
) -> None:
    one = generalised_black_scholes(
        forward, forward * ratio, tau, 0.0, 0.0, volatility, is_call=is_call
    )
    arrays = option_prices(
        np.array(forward),
        np.array(forward * ratio),
        np.array(volatility),
        np.array(tau),
        np.array(1.0),
        np.array(is_call),
    )
    assert float(arrays) == pytest.approx(one.price, rel=1e-10, abs=1e-12 * forward)


@given(st.floats(0.5, 2), st.floats(0.1, 1), st.floats(0.1, 2), st.floats(-0.1, 0.1))
def test_greeks_are_the_slopes_of_the_price(
    ratio: float, volatility: float, tau: float, carry: float
) -> None:
    def value(spot: float = 100, v: float = volatility, t: float = tau, r: float = 0.05) -> float:
        shifted = carry + (r - 0.05)
        return generalised_black_scholes(spot, 100 * ratio, t, r, shifted, v, is_call=True).price

    of = generalised_black_scholes(100, 100 * ratio, tau, 0.05, carry, volatility, is_call=True)
    step = 1e-4
    assert of.delta == pytest.approx((value(100 + step) - value(100 - step)) / (2 * step), abs=1e-6)
    slope = (value(v=volatility + step) - value(v=volatility - step)) / (2 * step)
    assert of.vega == pytest.approx(slope, abs=1e-4)
    slope = (value(t=tau - step) - value(t=tau + step)) / (2 * step)
    assert of.theta == pytest.approx(slope, abs=1e-3)
    if carry != 0:
        slope = (value(r=0.05 + step) - value(r=0.05 - step)) / (2 * step)
        assert of.rho == pytest.approx(slope, abs=1e-3)


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_tiers_are_continuous_monotone_and_convex(a: float, b: float) -> None:
    tiers = OKX_MAJORS.minimum_tiers
    low, high = sorted((a, b))
    assert tiered(low, tiers) <= tiered(high, tiers) + 1e-6
    middle = tiered((low + high) / 2, tiers)
    assert middle <= (tiered(low, tiers) + tiered(high, tiers)) / 2 + 1e-6
    for tier in tiers[1:]:
        assert tiered(tier.lower, tiers) == pytest.approx(tiered(tier.lower + 1e-9, tiers))


def test_deductions_make_the_marginal_sum() -> None:
    tiers = (Tier(0, 0.01), Tier(100, 0.02), Tier(300, 0.05))
    assert deductions(tiers) == pytest.approx((0, 1, 10))
    assert tiered(400, tiers) == pytest.approx(1 + 4 + 5)


def test_open_interest_scales_the_margin_fraction_between_its_bounds() -> None:
    terms = DydxParameters(0.2, 25e6, 50e6, 0.5)
    fractions = [terms.scaled_imf(x) for x in (0, 25e6, 37.5e6, 50e6, 1e9)]
    assert fractions == pytest.approx([0.2, 0.2, 0.6, 1, 1])


def test_square_root_margin_begins_at_its_base() -> None:
    terms = SquareRootParameters(0.02, 0.002, 0.01, 0.0012, collateral_factor=0.001)
    file = {"underlyings": {"U": {"spot": 1}}}
    market = resolve(read_portfolio(file)).markets[0]
    assert terms.margin(market, 25, 1000).initial == pytest.approx(20)
    assert terms.margin(market, 10_000, 1000).initial == pytest.approx(200)
    assert terms.weight(0) == 1
    assert terms.weight(1e6) == pytest.approx(1.1 / 2)


def test_brackets_must_be_stated_and_are_continuous() -> None:
    file: dict[str, Any] = {
        "parameters": {
            "brackets": [{"lower": 0, "rate": 0.01}, {"lower": 5000, "rate": 0.02}],
            "leverages": [50, 25],
        },
        "underlyings": {"U": {"spot": 100}},
        "positions": [{"kind": "perpetual", "underlying": "U", "amount": -100, "leverage": 40}],
    }
    found = run(file, "brackets")
    assert found["maintenance_margin"] == pytest.approx(10_000 * 0.02 - 50)
    assert found["initial_margin"] == pytest.approx(10_000 / 25)
    with pytest.raises(ValueError, match=r"parameters\.brackets: Field required"):
        run({**file, "parameters": {}}, "brackets")


def test_okx_takes_the_larger_of_scan_and_minimum_charge() -> None:
    file = {
        "underlyings": {"BTC": {"spot": 100_000}},
        "positions": [{"kind": "perpetual", "underlying": "BTC", "amount": 1}],
        "charges": {"mr3": 100, "mr7_raw": 1000, "mr8": 7},
    }
    found = run(file, "okx")
    assert line(found, "MR1") == pytest.approx(12_000)
    assert line(found, "MR6") == pytest.approx(24_000)
    assert found["maintenance_margin"] == pytest.approx(24_107)
    assert found["initial_margin"] == pytest.approx(1.3 * 24_107)
    file["charges"] = {"mr7_raw": 30_000}
    assert run(file, "okx")["worst"] == "MR7 minimum charge"
    file["underlyings"] = {"XYZ": {"spot": 100_000}}
    file["positions"][0]["underlying"] = "XYZ"  # type: ignore[index]
    assert line(run(file, "okx"), "MR6") == pytest.approx(50_000)


def test_paradex_has_24_cells_and_a_minimum_for_hedged_books() -> None:
    assert len(PARADEX.scenarios) == 24
    file = {
        "underlyings": {
            "BTC": {"spot": 100_000, "expiries": {"e": {"years": 1, "forward": 100_000}}}
        },
        "positions": [
            {"kind": "perpetual", "underlying": "BTC", "amount": 1},
            {"kind": "future", "underlying": "BTC", "expiry": "e", "amount": -1},
        ],
        "charges": {"fee_provision": 10},
    }
    found = run(file, "paradex-pm")
    assert found["initial_margin"] == pytest.approx(1_000 + 10)
    assert found["maintenance_margin"] == pytest.approx(500 + 10)


def test_the_auction_discount_falls_fast_then_slowly_to_zero() -> None:
    terms = derive.AUCTION_TESTS
    falls = [discount_at(t, terms) for t in (0, 50, 100, 7_300, 14_500, 1e6)]
    assert falls == pytest.approx([0.98, 0.89, 0.8, 0.4, 0, 0])
    prices = [insolvent_price(t, 100, -600, terms) for t in (0, 300, 600)]
    assert prices == pytest.approx([0, -300, -600])
    assert insolvent_price(300, 100, 1, terms) == 0
    assert largest_share(-1, -5, 0.5, 0, 0) == 1


@given(st.floats(100, 1e6), st.floats(0.5, 1), st.floats(0.01, 0.99), st.floats(0.5, 0.99))
def test_a_bid_for_the_largest_share_leaves_no_buffer_to_restore(
    mtm: float, loss: float, reserve: float, discount: float
) -> None:
    mm, reserved = mtm * (loss - 1.5), mtm * reserve * 0.5
    buffered = mm + 0.15 * (mm - mtm)
    share = largest_share(mtm, buffered, discount, reserved, 0)
    payment = (mtm - reserved) * discount * share
    left = (buffered - reserved) * (1 - share) + reserved + payment
    assert left == pytest.approx(0, abs=1e-9 * mtm)


def test_deribit_gains_count_at_their_offset_and_far_losses_are_dampened() -> None:
    file = {
        "underlyings": {"ETH": {"spot": 2_000}},
        "positions": [{"kind": "perpetual", "underlying": "ETH", "amount": -1}],
    }
    cells = {s["name"]: s for s in run(file, "deribit-pm", "eth_usd")["scenarios"]}
    assert cells["0.82 none"]["pnl"] == pytest.approx(0.6 * cells["0.82 none"]["raw_pnl"])
    assert cells["6 up"]["raw_pnl"] == pytest.approx(-5 / 6)
    assert cells["6 up"]["pnl"] == 0


def test_deribit_roll_shock_grows_with_time() -> None:
    file = {
        "underlyings": {
            "BTC": {"spot": 50_000, "expiries": {"e": {"years": 0.5, "forward": 50_000}}}
        },
        "positions": [{"kind": "future", "underlying": "BTC", "expiry": "e", "amount": 2}],
    }
    assert line(run(file, "deribit-pm"), "roll shock") == pytest.approx(2 * 0.075 * 0.5)


def test_a_market_overrides_the_parameters_of_the_account() -> None:
    file: dict[str, Any] = {
        "underlyings": {
            "A": {"spot": 100, "parameters": {"perp_im": 0.5}},
            "BTC": {"spot": 100},
        },
        "positions": [
            {"kind": "perpetual", "underlying": "A", "amount": 1},
            {"kind": "perpetual", "underlying": "BTC", "amount": 1},
        ],
    }
    found = run(file, "derive-srm")
    assert line(found, "A perpetual IM") == pytest.approx(-50)
    assert line(found, "BTC perpetual IM") == pytest.approx(-10)


def test_profit_follows_from_entry_and_funding() -> None:
    file = {
        "underlyings": {"U": {"spot": 100, "perpetual": {"price": 110}}},
        "positions": [
            {
                "kind": "perpetual",
                "underlying": "U",
                "amount": -2,
                "entry_price": 105,
                "funding": 0.5,
            }
        ],
    }
    assert resolve(read_portfolio(file)).markets[0].pnl == pytest.approx(-10 + 1)


def test_a_discount_factor_states_the_rate() -> None:
    file = {
        "underlyings": {
            "U": {
                "spot": 100,
                "expiries": {"e": {"years": 0.5, "forward": 100, "discount": math.exp(-0.02)}},
            }
        },
        "positions": [{"kind": "future", "underlying": "U", "expiry": "e", "amount": 1}],
    }
    assert resolve(read_portfolio(file)).markets[0].expiries[0].rate == pytest.approx(0.04)


def test_a_price_is_the_same_through_the_registry_and_the_command() -> None:
    file = random_portfolio(3)
    priced = price(read_portfolio(file), "derive-pm2", "tests").result
    assert run(file, "derive-pm2", "tests")["net_initial"] == priced.net_initial
