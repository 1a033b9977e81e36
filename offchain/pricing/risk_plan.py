"""What the risk arrays need of a parameter set and never of a report; built once for each set.

Instruments that share a forward form a group: one underlying and one expiry, or the perpetual of
an underlying. Call and put of one strike form a series: they share every volatility and every N(d).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from offchain.core.instruments import FeedKind, Instrument, Kind, Listing
from offchain.core.parameters import RiskParameters
from offchain.core.scenarios import scenario_grid
from offchain.core.units import ONE_E6
from offchain.pricing.fixed_point import ln
from offchain.pricing.surface import surface_places

Int64Array = NDArray[np.int64]
KEPT = 8
NONE = -1


@dataclass(frozen=True, slots=True)
class Group:
    """One expiry of one underlying, or its perpetual, and where a report prices it.

    `forward` is NONE for a perpetual, `volatility` where there are no options, `shape` where the
    smile is flat.
    """

    underlying: int
    expiry_ns: int
    forward: int
    volatility: int
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Listing and grids as the kernels take them.

    Attributes
    ----------
    groups : tuple of Group
        In order of first listing.
    linear : int64[L, 3]
        Place, id and group of each perpetual and future.
    series : int64[N, 5]
        Group, strike [USD e-8], ln of the strike [2**-56], and the place of call and put, or NONE.
    ids, lot_divisors, ticks_e8 : int64[n]
        By place in the listing.
    underlyings : int64[G]
        Of each group.
    grids : int64[U, 36, 4]
        Scenarios of each underlying: move [e-6], its log [2**-56], shock, weight [e-6].
    skews : int64[U, 2, 3]
        Slope [e-6], cap [e-6], and 1 where the size of the log counts.
    """

    groups: tuple[Group, ...]
    linear: Int64Array
    series: Int64Array
    ids: Int64Array
    lot_divisors: Int64Array
    ticks_e8: Int64Array
    underlyings: Int64Array
    grids: Int64Array
    skews: Int64Array


def log_of_move(move_e6: int) -> int:
    """Return ln(1e6 + move) - ln(1e6), each floored. [2**-56]."""
    return ln(ONE_E6 + move_e6) - ln(ONE_E6)


_recent: list[tuple[RiskParameters, Plan]] = []


def plan_of(parameters: RiskParameters) -> Plan:
    """Return the plan of a parameter set.

    Sets met lately are known by identity: to hash one walks its whole listing, which takes longer
    than to price it.
    """
    for known, plan in _recent:
        if known is parameters:
            return plan
    plan = _equal_plan(parameters)
    _recent[:] = [(parameters, plan), *_recent[: KEPT - 1]]
    return plan


@lru_cache(maxsize=KEPT)
def _equal_plan(parameters: RiskParameters) -> Plan:
    listing = parameters.listing
    owners = [listing.underlyings[i.underlying] for i in listing.instruments]
    keys = list(dict.fromkeys((i.underlying, int(i.expiry_ns)) for i in listing.instruments))
    groups = tuple(_group(listing, *key) for key in keys)
    place_of = {key: place for place, key in enumerate(keys)}
    linear = [
        (place, i.id, place_of[i.underlying, i.expiry_ns])
        for place, i in enumerate(listing.instruments)
        if not i.is_option
    ]
    skews = [[(s.slope_e6, s.cap_e6, int(s.absolute)) for s in x.skews] for x in parameters.scan]
    return Plan(
        groups=groups,
        linear=_table(linear, 3),
        series=_table(_series(listing.instruments, place_of), 5),
        ids=np.array([i.id for i in listing.instruments], np.int64),
        lot_divisors=np.array([u.lot_divisor for u in owners], np.int64),
        ticks_e8=np.array([u.tick_e8 for u in owners], np.int64),
        underlyings=np.array([group.underlying for group in groups], np.int64),
        grids=np.array([_grid(parameters, u) for u in range(len(parameters.scan))], np.int64),
        skews=np.array(skews, np.int64),
    )


def _table(rows: Sequence[Sequence[int]], columns: int) -> Int64Array:
    return np.array(rows, np.int64).reshape(len(rows), columns)


def _grid(parameters: RiskParameters, underlying: int) -> list[tuple[int, int, int, int]]:
    scenarios = scenario_grid(parameters.scan[underlying])
    return [(s.move_e6, log_of_move(s.move_e6), int(s.shock), s.weight_e6) for s in scenarios]


def _group(listing: Listing, underlying: int, expiry_ns: int) -> Group:
    if expiry_ns == 0:
        return Group(underlying, 0, NONE, NONE, None)
    forward = listing.feed_index(FeedKind.FORWARD, underlying, expiry_ns)
    options = any(
        i.is_option and i.expiry_ns == expiry_ns for i in listing.of_underlying(underlying)
    )
    if not options:
        return Group(underlying, expiry_ns, forward, NONE, None)
    return Group(underlying, expiry_ns, forward, *surface_places(listing, underlying, expiry_ns))


def _series(
    instruments: Sequence[Instrument], place_of: dict[tuple[int, int], int]
) -> list[list[int]]:
    """Return the series in order of first listing; a second call of a series starts another."""
    rows: list[list[int]] = []
    open_rows: dict[tuple[int, int, Kind], list[int]] = {}
    for place, i in enumerate(instruments):
        if not i.is_option:
            continue
        group = place_of[i.underlying, i.expiry_ns]
        row = open_rows.pop((group, i.strike_e8, i.kind), None)
        if row is None:
            row = [group, i.strike_e8, ln(i.strike_e8), NONE, NONE]
            rows.append(row)
            other = Kind.PUT if i.kind == Kind.CALL else Kind.CALL
            open_rows[group, i.strike_e8, other] = row
        row[3 if i.kind == Kind.CALL else 4] = place
    return rows
