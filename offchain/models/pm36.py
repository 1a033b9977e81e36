"""PM-36 on a portfolio file: the venue's own integer engine, with the terms in USD.

    R  = scan risk across underlyings,  A = add-ons,  F = unwinding floor
    MM = ceil(mm_factor max(R + A, F)),  IM = max(MM, ceil((1 + peg) max(R + A_im, F_im)))

Only the translation uses floats; every number below comes out of `offchain.core` and
`offchain.pricing`, and is divided by a million for display. There are no resting orders in a file.
"""

import math
from dataclasses import replace

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as validated

from offchain.core import presets
from offchain.core.addons import Addons, addons_reference
from offchain.core.cross import cross_risk_reference
from offchain.core.curves import curve_lines
from offchain.core.margin import initial_margin, maintenance_margin, peg_e6
from offchain.core.parameters import ParameterError, RiskParameters, ScanParameters
from offchain.core.scan import scan_sums_reference
from offchain.core.scenarios import scenario_grid
from offchain.core.units import (
    MAX_UNDERLYINGS,
    ONE_E6,
    ONE_E8,
    RatioE6,
)
from offchain.models.errors import UnsupportedPortfolioError
from offchain.models.pm36_listing import Translated, ratio_e6, translate
from offchain.models.portfolio import Portfolio, haircuts_of, resolve, value_of
from offchain.models.quantities import Fraction, NonNegative, Number
from offchain.models.results import Line, Result, ScenarioLine, requirements
from offchain.models.schema import PortfolioFile
from offchain.pricing.charges import charge_rows
from offchain.pricing.marks import MarketDataError
from offchain.pricing.risk_array import RiskArrays, RiskRangeError, price_book

_ROLES = presets.Roles(tuple(f"0x{i:040x}" for i in range(1, 8)), f"0x{254:040x}", f"0x{255:040x}")
"""A file has no oracle and no owners; these addresses only satisfy the rules of a set."""


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Pm36Parameters:
    """What a file may change; what is none stays as in `offchain.core.presets`."""

    price_range: Fraction | None = None
    vol_up: NonNegative | None = None
    vol_down: Fraction | None = None
    min_vol_up: NonNegative | None = None
    mm_factor: Fraction | None = None
    taker_fee: Fraction | None = None
    offset: Fraction | None = None
    offset_cap_usd: NonNegative | None = None
    breakdown: Fraction | None = None
    funding_rate: Number = 0.0
    addons: bool = True


PM36_DEFAULT = Pm36Parameters()


def pm36(file: PortfolioFile, p: Pm36Parameters) -> Result:
    """Return the margins of a portfolio under PM-36.

    Raises
    ------
    UnsupportedPortfolioError
        A portfolio, price or parameter that the integer engine refuses; the text names its rule.
    """
    portfolio = resolve(file)
    of = translate(file, portfolio)
    try:
        rules = risk_parameters(of, p)
        arrays = price_book(rules, of.medians, of.now_ns)
        addons = _addons(rules, of, arrays, p)
    except ParameterError as fault:
        raise UnsupportedPortfolioError("parameters", str(fault)) from None
    except (MarketDataError, RiskRangeError) as fault:
        raise UnsupportedPortfolioError("underlyings", str(fault)) from None
    return _assemble(portfolio, of, rules, arrays, addons)


def risk_parameters(of: Translated, p: Pm36Parameters) -> RiskParameters:
    """Return the venue's parameter set for the contracts of a file."""
    series = tuple(presets.Series(u, (), ()) for u in of.listing.underlyings)
    base = presets.pm36(series, _ROLES)
    correlation = replace(
        base.correlation,
        offset_e6=_or_e6(p.offset, base.correlation.offset_e6),
        offset_cap_usd=int(
            base.correlation.offset_cap_usd if p.offset_cap_usd is None else p.offset_cap_usd
        ),
        breakdown_e6=_or_e6(p.breakdown, base.correlation.breakdown_e6),
    )
    return replace(
        base,
        listing=of.listing,
        scan=tuple(_scan(scan, p) for scan in base.scan),
        correlation=correlation,
        mm_factor_e6=_or_e6(p.mm_factor, base.mm_factor_e6),
        taker_fee_e6=_or_e6(p.taker_fee, base.taker_fee_e6),
    )


def _or_e6(ratio: float | None, otherwise: RatioE6) -> RatioE6:
    return otherwise if ratio is None else RatioE6(ratio_e6(ratio))


def _scan(scan: ScanParameters, p: Pm36Parameters) -> ScanParameters:
    """Return a grid with its overrides; tails stay covered by range / |move|."""
    reach = _or_e6(p.price_range, scan.price_range_e6)
    return replace(
        scan,
        price_range_e6=reach,
        vol_up_e6=_or_e6(p.vol_up, scan.vol_up_e6),
        vol_down_e6=_or_e6(p.vol_down, scan.vol_down_e6),
        min_vol_up_e8=scan.min_vol_up_e8 if p.min_vol_up is None else round(p.min_vol_up * ONE_E8),
        tails=tuple(
            replace(t, weight_e6=RatioE6(min(ONE_E6, reach * ONE_E6 // abs(t.move_e6))))
            for t in scan.tails
        ),
    )


def _addons(
    rules: RiskParameters, of: Translated, arrays: RiskArrays, p: Pm36Parameters
) -> Addons | None:
    if not p.addons:
        return None
    confidences = [ratio_e6(m.spot_confidence) for m in of.markets]
    rate = round(p.funding_rate * ONE_E8)
    charges = charge_rows(
        rules, of.medians, of.now_ns, arrays, [rate] * len(of.markets), confidences
    )
    spare = MAX_UNDERLYINGS - len(rules.addons)
    terms = (*rules.addons, *rules.addons[:1] * spare)
    return addons_reference(
        [(i, n, 0, 0) for i, n in of.lots.items()],
        charges.tolist(),
        [curve_lines(t.delta_tiers) for t in terms],
        [curve_lines(t.unwind_tiers) for t in terms],
        [t.calm_cover_e6 for t in terms],
    )


def _assemble(
    portfolio: Portfolio,
    of: Translated,
    rules: RiskParameters,
    arrays: RiskArrays,
    addons: Addons | None,
) -> Result:
    ids, lots = list(of.lots), list(of.lots.values())
    sums = scan_sums_reference(ids, lots, arrays.losses_e6.tolist())
    terms = rules.correlation
    scan, worst = cross_risk_reference(
        sums, terms.offset_e6, terms.offset_cap_usd * ONE_E6, terms.breakdown_e6
    )
    added, floor, im_added, im_floor = _sums(addons)
    mm = maintenance_margin(scan, added, rules.mm_factor_e6, floor)
    peg = peg_e6(round(portfolio.stable_price * ONE_E8), rules.peg)
    im = initial_margin(max(scan + im_added, im_floor), peg, mm)
    options = sum(
        n * int(arrays.lot_values_e6[i])
        for i, n in of.lots.items()
        if next(x for x in of.listing.instruments if x.id == i).is_option
    )
    pnl = math.fsum(m.pnl for m in of.markets)
    collateral, haircuts = value_of(portfolio.collateral), haircuts_of(portfolio.collateral)
    value = options / ONE_E6 + pnl + collateral
    return requirements(
        "USD",
        im / ONE_E6,
        mm / ONE_E6,
        portfolio.cash + value - haircuts,
        value,
        ", ".join(f"{m.name} scenario {worst[u]}" for u, m in enumerate(of.markets)),
        _scenario_lines(of, rules, sums),
        [
            Line("scan risk", scan / ONE_E6, "requirement; across underlyings"),
            *(
                Line(f"{m.name} worst loss", max(0, *sums[u]) / ONE_E6, "requirement, alone")
                for u, m in enumerate(of.markets)
            ),
            *_addon_lines(addons),
            Line("peg", peg / ONE_E6, "a share; IM grows by it"),
            Line("option value", options / ONE_E6),
            Line("unrealised pnl", pnl),
            Line("collateral value", collateral),
            Line("haircuts", -haircuts, "taken off equity"),
        ],
    )


def _sums(addons: Addons | None) -> tuple[int, int, int, int]:
    if addons is None:
        return 0, 0, 0, 0
    return addons.maintenance_e6, addons.unwind_e6, addons.initial_e6, addons.im_unwind_e6


def _addon_lines(addons: Addons | None) -> list[Line]:
    if addons is None:
        return []
    named = (
        ("roll", addons.roll_e6, "MM"),
        ("closing fee, funding, naked options", addons.holding_e6, "MM"),
        ("large delta", addons.delta_e6, "MM"),
        ("unwinding cost", addons.unwind_e6, "floor of MM"),
        ("roll IM", addons.im_roll_e6, "IM"),
        ("closing fee, funding, naked options IM", addons.im_holding_e6, "IM"),
        ("large delta IM", addons.im_delta_e6, "IM"),
        ("unwinding cost IM", addons.im_unwind_e6, "floor of IM"),
        ("naked options on top", addons.im_naked_e6, "IM"),
        ("calm volatility", addons.im_calm_e6, "IM"),
        ("oracle confidence", addons.im_doubt_e6, "IM"),
    )
    return [Line(name, amount / ONE_E6, note) for name, amount, note in named]


def _scenario_lines(
    of: Translated, rules: RiskParameters, sums: list[list[int]]
) -> list[ScenarioLine]:
    lines = []
    for u, market in enumerate(of.markets):
        for place, scenario in enumerate(scenario_grid(rules.scan[u])):
            price = 1 + scenario.move_e6 / ONE_E6
            weight = scenario.weight_e6 / ONE_E6
            lines.append(
                ScenarioLine(
                    f"{market.name} {place}",
                    price,
                    scenario.shock.name.lower(),
                    weight,
                    -sums[u][place] / ONE_E6,
                )
            )
    return lines
