"""What a replay found, as a document: inputs, every parameter, metrics, thinned series."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.core.presets import LIQUIDATION
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.stress.auction_room import CARRIED, TERMS, WANTED_E6
from offchain.stress.book import CONTRACTS
from offchain.stress.clusters import LOT_USD, Comparison
from offchain.stress.events import Event
from offchain.stress.lab import BACKSTOP_LEVERAGE, CALM_PREMIUM, UNWIND_PARTS
from offchain.stress.policies import COOL_NS, LARGE_E6
from offchain.stress.replay import Model, Outcome, Path, Point
from offchain.stress.waterfall import BREAKER, CAPS

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One event, replayed."""

    event: Event
    kind: str
    files: tuple[tuple[str, str], ...]
    path: Path
    seed: int
    model: Model
    outcomes: Sequence[Outcome]
    comparison: Comparison | None = None


def document(run: Run) -> dict[str, object]:
    """Return the whole of a run; the same run gives the same document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "event": {"name": run.event.name, "title": run.event.title, "what": run.event.what},
        "prices": {
            "kind": run.kind,
            "files": [{"name": name, "sha256": digest} for name, digest in run.files],
            "from_s": run.path[0][0] // SECOND_NS,
            "to_s": run.path[-1][0] // SECOND_NS,
            "steps": len(run.path),
            "falls": {
                contract.symbol: round(fall(run.path, place), 6)
                for place, contract in enumerate(CONTRACTS)
            },
        },
        "seed": run.seed,
        "assumptions": assumptions(run.model),
        "metrics": {outcome.name: metrics(outcome) for outcome in run.outcomes},
        "deleveraging": None if run.comparison is None else comparison(run.comparison),
        "series": {outcome.name: [_point(p) for p in outcome.points] for outcome in run.outcomes},
    }


def fall(path: Path, place: int) -> float:
    """Return how far a price fell from its start to its lowest, as a share."""
    prices = [prices[place] for _, prices in path]
    return 1 - min(prices) / prices[0]


def assumptions(model: Model) -> dict[str, object]:
    """Return every constant of the models and of the policies."""
    return {
        "population": dataclasses.asdict(model.population),
        "depth": dataclasses.asdict(model.depth),
        "dips": dataclasses.asdict(model.dips),
        "liquidation": dataclasses.asdict(LIQUIDATION),
        "auction": dataclasses.asdict(TERMS) | {"wanted_e6": list(WANTED_E6), "carried": CARRIED},
        "insurance_caps": dataclasses.asdict(CAPS),
        "breaker": dataclasses.asdict(BREAKER),
        "backstop": {
            "leverage": BACKSTOP_LEVERAGE,
            "calm_premium": CALM_PREMIUM,
            "unwind_parts": UNWIND_PARTS,
        },
        "twenty_percent": {"cool_ns": COOL_NS, "large_e6": LARGE_E6},
    }


def metrics(of: Outcome) -> dict[str, int | float | str]:
    """Return what is compared between policies; money in USD e-6."""
    t = of.tally
    return {
        "title": of.title,
        "open_interest_e6": of.interest_e6,
        "deficit_e6": t.deficit_e6,
        "insured_e6": t.insured_e6,
        "deleveraging_cost_e6": t.deleveraged_e6,
        "socialised_loss_e6": t.socialised_e6,
        "deleveraged_notional_e6": t.deleveraged_notional_e6,
        "deleveraged_accounts": len(t.deleveraged_accounts),
        "deleveraged_fills": t.deleveraged_fills,
        "weakened_by_deleveraging": t.weakened,
        "overshoot_lots": t.overshoot_lots,
        "overshoot_lots_max": t.overshoot_lots_max,
        "overshoot_e6": t.overshoot_e6,
        "liquidated_notional_e6": t.liquidated_e6,
        "to_backstop_e6": t.backstop_e6,
        "auctioned_e6": t.auctioned_e6,
        "backstop_result_e6": of.backstop_e6,
        "fees_e6": t.fees_e6,
        "fund_before_e6": of.fund_before_e6,
        "fund_after_e6": of.fund_after_e6,
        "accounts_called": t.calls,
        "accounts_touched": len(t.touched),
        "accounts_closed": len(t.closed_whole),
        "accounts_in_debt_at_end": of.in_debt,
        "accounts_below_at_end": of.below,
        "actions": t.steps,
        "wrongful_liquidations": t.wrongful,
        "longest_wait_s": t.waited_ns // SECOND_NS,
        "lowest_premium": round(of.lowest_premium, 6),
        "highest_premium": round(of.highest_premium, 6),
        "seconds_beyond_one_percent": of.moved_s,
        "added_by_dip_buyers_e6": t.added_e6,
        "dip_buyers_refused": t.refused,
        "steps": of.steps,
        "steps_halted": of.halted_steps,
    }


def comparison(of: Comparison) -> dict[str, int | float]:
    """Return what the deleveraging rule closed beyond the deficits of the clusters."""
    return {
        "clusters": of.clusters,
        "clusters_without_deficit": of.without_deficit,
        "lot_usd": LOT_USD,
        "deficit_usd": round(of.deficit_usd, 2),
        "closed_usd": round(of.closed_usd, 2),
        "unclosed_usd": round(of.unclosed_usd, 2),
        "fills": of.fills,
        "accounts": len(of.accounts),
        "overshoot_usd": round(of.overshoot_usd, 6),
        "overshoot_lots_max": of.overshoot_lots_max,
        "whole_positions_overshoot_usd": round(of.whole_positions_usd, 2),
        "reported_overshoot_usd": round(of.reported_usd, 2),
        "reported_overshoot_of_all_clusters_usd": round(of.reported_everywhere_usd, 2),
        "overshoot_ratio": of.ratio,
    }


def _point(point: Point) -> dict[str, object]:
    return {
        "s": point.time_ns // SECOND_NS,
        "index": [price / ONE_E8 for price in point.indices_e8],
        "mark": [price / ONE_E8 for price in point.marks_e8],
        "fund_e6": point.fund_e6,
        "liquidated_e6": point.liquidated_e6,
        "deleveraged_e6": point.deleveraged_e6,
        "socialised_e6": point.socialised_e6,
    }
