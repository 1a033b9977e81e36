"""The rules of add-ons, tiers, modes, collateral and the shortfall model."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from offchain.core.curves import CURVE_LIMIT, MAX_RATE_E6, MAX_TIERS
from offchain.core.model_parameters import (
    AddonParameters,
    CollateralParameters,
    MarginClass,
    ShortfallModel,
    Tier,
)
from offchain.core.rules import require
from offchain.core.units import ONE_E6, ONE_E8

if TYPE_CHECKING:
    from offchain.core.parameters import RiskParameters

MAX_CLASSES = 8
MAX_LEVERAGE = 100
MAX_ASSETS = 8
MAX_BRACKETS = 4
MAX_MOVES = 1024
MOVE_STEP = 32
"""`offchain.core.shortfall` takes so many moves at a time."""
AMOUNT_LIMIT = 1 << 60
"""Of collateral. [token e-8]"""
DELTA_CAP_E6 = 100_000


def check_model(parameters: "RiskParameters") -> None:
    """Refuse a model that breaks a rule; ParameterError names it."""
    count = len(parameters.listing.underlyings)
    require("one set of add-ons for each underlying", holds=len(parameters.addons) == count)
    require("one margin class for each underlying", holds=len(parameters.class_of) == count)
    for addons in parameters.addons:
        _check_addons(addons)
    require(
        f"between 1 and {MAX_CLASSES} margin classes",
        holds=_is_in(len(parameters.classes), 1, MAX_CLASSES),
    )
    require(
        "an underlying's margin class is listed",
        holds=all(0 <= c < len(parameters.classes) for c in parameters.class_of),
    )
    for margin_class in parameters.classes:
        _check_class(margin_class)
    _check_portfolio(parameters)
    _check_collateral(parameters.collateral, count)
    require("at most one shortfall model", holds=len(parameters.shortfall) <= 1)
    for model in parameters.shortfall:
        _check_shortfall(model, count)


def _is_in(value: int, low: int, high: int) -> bool:
    return low <= value <= high


def _check_tiers(name: str, tiers: Sequence[Tier], highest_e6: int) -> None:
    require(f"{name} tiers: between 1 and {MAX_TIERS}", holds=_is_in(len(tiers), 1, MAX_TIERS))
    require(f"{name} tiers begin at zero", holds=tiers[0].lower_e6 == 0)
    require(
        f"{name} tiers ascend in bound and rate",
        holds=all(a.lower_e6 < b.lower_e6 and a.rate_e6 < b.rate_e6 for a, b in pairwise(tiers)),
    )
    require(f"{name} tiers end below 2^57", holds=tiers[-1].lower_e6 < CURVE_LIMIT)
    require(
        f"{name} rates lie in [0, {highest_e6}]",
        holds=tiers[0].rate_e6 >= 0 and tiers[-1].rate_e6 <= highest_e6,
    )


def _check_addons(a: AddonParameters) -> None:
    require("0 <= least roll move <= 100 %", holds=_is_in(a.roll_min_e6, 0, ONE_E6))
    require("0 <= annual roll move <= 100 %", holds=_is_in(a.roll_rate_e6, 0, ONE_E6))
    naked = (a.naked_mm_e6, a.naked_im_e6)
    require(
        "naked-option charges lie in [0, 10 %]", holds=min(naked) >= 0 and max(naked) <= 100_000
    )
    unwind = (a.unwind_linear_e6, a.unwind_option_e6)
    require("unwinding costs lie in [0, 5 %]", holds=min(unwind) >= 0 and max(unwind) <= 50_000)
    _check_tiers("delta", a.delta_tiers, DELTA_CAP_E6)
    _check_tiers("unwinding", a.unwind_tiers, MAX_RATE_E6)
    require("0 <= calm volatility <= 5", holds=_is_in(a.calm_vol_e8, 0, 5 * ONE_E8))
    require("0 <= calm cover <= 1", holds=_is_in(a.calm_cover_e6, 0, ONE_E6))
    require("0 < dispersion <= 1", holds=_is_in(a.dispersion_e6, 1, ONE_E6))
    require("0 <= confidence threshold <= 1", holds=_is_in(a.confidence_threshold_e6, 0, ONE_E6))
    require("0 <= confidence factor <= 10", holds=_is_in(a.confidence_factor_e6, 0, 10 * ONE_E6))


def _check_class(c: MarginClass) -> None:
    _check_tiers("maintenance", c.tiers, ONE_E6)
    require(f"1 <= leverage <= {MAX_LEVERAGE}", holds=_is_in(c.max_leverage, 1, MAX_LEVERAGE))
    require("IM multiple >= 1, so that IM >= MM", holds=c.im_multiple_e6 >= ONE_E6)
    first = c.tiers[0].rate_e6 * c.im_multiple_e6
    require("IM rate >= 1 / leverage", holds=first * c.max_leverage >= ONE_E6 * ONE_E6)
    last = c.tiers[-1].rate_e6 * c.im_multiple_e6
    require("IM rates are at most one", holds=last <= ONE_E6 * ONE_E6)
    require(
        "0 <= open interest lower < upper", holds=0 <= c.oi_lower_usd < c.oi_upper_usd < 1 << 43
    )
    require(
        "concentration begins at a positive share of the open interest",
        holds=_is_in(c.concentration_share_e6, 1, ONE_E6),
    )
    require(
        "concentration slope lies in [0, 10]",
        holds=_is_in(c.concentration_slope_e6, 0, 10 * ONE_E6),
    )
    require("0 <= free of concentration", holds=_is_in(c.concentration_free_usd, 0, 1 << 43))


def _check_portfolio(parameters: "RiskParameters") -> None:
    correlation, peg = parameters.correlation, parameters.peg
    require("0 <= offset <= 1", holds=_is_in(correlation.offset_e6, 0, ONE_E6))
    require(
        "0 <= offset cap < 2^32 USD", holds=_is_in(correlation.offset_cap_usd, 0, (1 << 32) - 1)
    )
    require(
        "0 < breakdown <= 1, and offsets never reach below it",
        holds=_is_in(correlation.breakdown_e6, 1, ONE_E6),
    )
    require("0 <= peg threshold <= 1 USD", holds=_is_in(peg.threshold_e8, 0, ONE_E8))
    require("0 <= peg factor <= 20", holds=_is_in(peg.factor_e6, 0, 20 * ONE_E6))


def _check_collateral(assets: Sequence[CollateralParameters], underlyings: int) -> None:
    require(f"at most {MAX_ASSETS} collateral assets", holds=len(assets) <= MAX_ASSETS)
    symbols = [c.symbol for c in assets]
    require("collateral symbols differ", holds=len(symbols) == len(set(symbols)))
    for c in assets:
        require(
            "0 < haircut floor <= cap < 1",
            holds=0 < c.haircut_floor_e6 <= c.haircut_cap_e6 < ONE_E6,
        )
        require(
            "collateral is priced by a listed underlying", holds=0 <= c.underlying < underlyings
        )
        require(
            "haircut multiplier lies in [1, 10]", holds=_is_in(c.multiplier_e6, ONE_E6, 10 * ONE_E6)
        )
        require("haircut horizon is positive", holds=c.horizon_ns > 0)
        require("haircut ratchet lies in (0, 1]", holds=_is_in(c.ratchet_e6, 1, ONE_E6))
        require("0 <= collateral cap < 2^60", holds=_is_in(c.cap_e8, 0, AMOUNT_LIMIT - 1))
        brackets = c.brackets
        require(
            f"between 1 and {MAX_BRACKETS} brackets", holds=_is_in(len(brackets), 1, MAX_BRACKETS)
        )
        require(
            "brackets ascend in amount and fall in weight",
            holds=all(
                a.upto_e8 < b.upto_e8 and a.weight_e6 > b.weight_e6 for a, b in pairwise(brackets)
            ),
        )
        require(
            "bracket amounts lie in (0, 2^60), weights in [0, 1]",
            holds=brackets[0].upto_e8 > 0
            and brackets[-1].upto_e8 < AMOUNT_LIMIT
            and brackets[0].weight_e6 <= ONE_E6
            and brackets[-1].weight_e6 >= 0,
        )


def _check_shortfall(model: ShortfallModel, underlyings: int) -> None:
    require(
        "90 % <= shortfall confidence < 100 %",
        holds=_is_in(model.confidence_e6, 900_000, ONE_E6 - 1),
    )
    require("0 <= shortfall weight <= 1", holds=_is_in(model.weight_e6, 0, ONE_E6))
    require(
        f"moves are a multiple of {MOVE_STEP}, at most {MAX_MOVES}",
        holds=_is_in(len(model.moves), 1, MAX_MOVES) and len(model.moves) % MOVE_STEP == 0,
    )
    require(
        "the tail of the shortfall is at least one move",
        holds=len(model.moves) * (ONE_E6 - model.confidence_e6) >= ONE_E6,
    )
    for move in model.moves:
        require(
            "a move has a price and a volatility for each underlying",
            holds=len(move.prices_e6) == len(move.vols_e6) == underlyings,
        )
        require(
            "moves lie in (-1, 9]",
            holds=all(-ONE_E6 < m <= 9 * ONE_E6 for m in (*move.prices_e6, *move.vols_e6)),
        )
