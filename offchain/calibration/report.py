"""The report of a calibration as plain data: what `report.json` holds and the page shows.

Floats are for display and rounded to six decimals; the integers are the proposal.
"""

from dataclasses import asdict, dataclass

from offchain.calibration.adoption import Adoption
from offchain.calibration.backtest import Backtest, Coverage, Variant
from offchain.calibration.haircut import Haircut
from offchain.calibration.proposal import Proposal, UnderlyingProposal
from offchain.calibration.settings import Settings
from offchain.core.presets import RECOMMENDED

SCHEMA = "plimsoll-calibration/1"
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where history and base set come from, in words, and the hashes of both sets (0x)."""

    history: str
    base: str
    base_hash: str
    params_hash: str


def report(proposal: Proposal, adoption: Adoption, origin: Origin) -> dict[str, Json]:
    """Return the whole report; `json.dumps` of it is the same bytes for the same inputs."""
    return {
        "schema": SCHEMA,
        "history": origin.history,
        "synthetic": proposal.is_synthetic,
        "files": list(proposal.files),
        "base": origin.base,
        "base_hash": origin.base_hash,
        "params_hash": origin.params_hash,
        "version": adoption.parameters.version,
        "settings": _settings(proposal.settings),
        "changes": [
            {
                "field": c.field,
                "previous": c.previous,
                "target": c.target,
                "value": c.value,
                "held": c.held,
            }
            for c in adoption.changes
        ],
        "underlyings": [_underlying(u) for u in proposal.underlyings],
        "correlation": _correlation(proposal),
        "collateral": [_haircut(h) for h in proposal.haircuts],
        "funding": [dict(asdict(f)) for f in proposal.funding],
        "depeg": dict(asdict(proposal.depeg)) if proposal.depeg else None,
        "scenarios": _scenarios(proposal),
    }


def scenario_document(proposal: Proposal) -> dict[str, Json]:
    """Return the scenario set as integer arrays, one row a scenario."""
    chosen = proposal.scenarios.scenarios
    return {
        "schema": "plimsoll-scenarios/1",
        "underlyings": [u.symbol for u in proposal.underlyings],
        "horizon_days": proposal.settings.horizon_days,
        "times": [s.time for s in chosen],
        "stressed": [s.is_stressed for s in chosen],
        "price_moves_e6": [list(s.moves_e6) for s in chosen],
        "volatility_moves_e6": [list(s.volatility_moves_e6) for s in chosen],
    }


def _settings(settings: Settings) -> dict[str, Json]:
    names = (
        "lookback_days",
        "confidence_e6",
        "horizon_days",
        "decay_e6",
        "seed_days",
        "stress_days",
        "stress_weight_e6",
        "buffer_e6",
        "max_up_e6",
        "max_down_e6",
        "range_grid_e6",
        "shock_grid_e6",
        "recalibration_days",
        "correlation_days",
        "scenario_count",
        "stressed_scenarios",
        "collateral_days",
    )
    plain: dict[str, Json] = {name: getattr(settings, name) for name in names}
    return {**plain, "rules": [str(rule) for rule in settings.rules]}


def _underlying(u: UnderlyingProposal) -> dict[str, Json]:
    times = u.history.series.times
    quantile, end = u.stress.worst(int(times[-1]))
    return {
        "symbol": u.symbol,
        "from": int(times[0]),
        "to": int(times[-1]),
        "rows": len(times),
        "step_s": u.history.series.step_s,
        "recommended_range_e6": RECOMMENDED.get(u.symbol, (None,))[0],
        "range_e6": u.range.range_e6,
        "range_parts": {
            "filtered_fall": _shown(u.range.down),
            "filtered_rise": _shown(u.range.up),
            "filtered": _shown(u.range.filtered),
            "stressed": _shown(u.range.stressed),
            "long_run": _shown(u.range.long_run),
            "target": _shown(u.range.target),
        },
        "worst_stressed_window": {"end": end, "quantile": _shown(quantile)},
        "volatility": {
            "source": u.shocks.source,
            "up_e6": u.shocks.up_e6,
            "down_e6": u.shocks.down_e6,
            "min_up_e8": u.shocks.min_up_e8,
            "calm_e8": u.shocks.calm_e8,
            "power_short_e6": u.shocks.power_short_e6,
            "power_long_e6": u.shocks.power_long_e6,
        },
        "backtest": _backtest(u.backtest),
    }


def _backtest(test: Backtest) -> dict[str, Json]:
    return {
        "from": test.dates[0],
        "to": test.dates[-1],
        "sets": len(test.dates),
        "variants": [_variant(v) for v in (test.proposed, test.procyclical)],
    }


def _variant(v: Variant) -> dict[str, Json]:
    return {
        "name": v.name,
        "least_e6": min(v.ranges_e6),
        "largest_e6": max(v.ranges_e6),
        "peak_to_trough_e6": v.peak_to_trough_e6,
        "largest_rise_e6": v.largest_rise_e6,
        "falls": _coverage(v.falls),
        "rises": _coverage(v.rises),
    }


def _coverage(c: Coverage) -> dict[str, Json]:
    return {
        "observations": c.observations,
        "exceedances": c.exceedances,
        "expected": _shown(c.expected),
        "kupiec": _shown(c.kupiec.statistic),
        "kupiec_p": _shown(c.kupiec.p_value),
        "verdict": verdict(c),
        "independence": _shown(c.independence.statistic),
        "independence_p": _shown(c.independence.p_value),
        "independent": c.independence.passes,
        "worst_excess_e6": c.worst_excess_e6,
    }


def verdict(coverage: Coverage) -> str:
    """Return what Kupiec's test says: when it rejects, whether range was too low or cautious."""
    if coverage.kupiec.passes:
        return "as promised"
    return "too low" if coverage.exceedances > coverage.expected else "cautious"


def _correlation(proposal: Proposal) -> Json:
    found = proposal.correlation
    if found is None:
        return None
    return {
        "now": _shown(found.now),
        "low": _shown(found.low),
        "breakdown": _shown(found.breakdown),
        "offset_e6": found.offset_e6,
        "breakdown_e6": found.breakdown_e6,
    }


def _haircut(h: Haircut) -> dict[str, Json]:
    return {
        "symbol": h.asset.symbol,
        "sigma_24h": _shown(h.sigma_24h),
        "sigma_7d": _shown(h.sigma_7d),
        "sigma_stressed": _shown(h.sigma_stressed),
        "floor_e6": h.floor_e6,
        "now_e6": h.now_e6,
        "ratcheted_e6": h.ratcheted_e6,
        "cap_e6": h.cap_e6,
        "impact_e9": round(h.impact * 1e9),
        "curve": [list(point) for point in h.curve],
        "brackets": [list(bracket) for bracket in h.brackets],
    }


def _scenarios(proposal: Proposal) -> dict[str, Json]:
    chosen = proposal.scenarios.scenarios
    return {
        "count": len(chosen),
        "stressed": sum(s.is_stressed for s in chosen),
        "windows": [list(window) for window in proposal.scenarios.windows],
        "worst_fall_e6": [
            min(column) for column in zip(*(s.moves_e6 for s in chosen), strict=True)
        ],
        "worst_rise_e6": [
            max(column) for column in zip(*(s.moves_e6 for s in chosen), strict=True)
        ],
    }


def _shown(value: float) -> float:
    return round(value, 6)
