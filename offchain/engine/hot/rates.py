"""What a price report and a parameter set become: rates per lot, and curves, as flat tables.

Beside the charges themselves each instrument gets three sums of them, so that what cannot be
netted away is bounded with few multiplications (`requirement.base_at_most`).
"""

import numpy as np

from offchain.core.addons import COLUMNS, GROUPS, Charge
from offchain.core.curves import CURVE_LIMIT
from offchain.core.units import LOSS_BITS, MAX_UNDERLYINGS, ONE_E6, ROWS, SLOT_BITS
from offchain.engine.hot import layout as w
from offchain.engine.hot.layout import Int64Array

SIGNED = (Charge.DELTA, Charge.ROLL, Charge.CALM)
CHARGE_BITS = 32
RATE_BITS = 32
"""The sums of charges of one lot stay below 2**32 where bounds are used (see `requirement`)."""

MAX_PEG_E6 = 20 * ONE_E6
"""The peg of a cash asset that is worth nothing, by the rules of a parameter set."""


def are_terms_in_range(terms: Int64Array) -> bool:
    """Tell whether offset, breakdown and calm covers lie in [0, 1e6], and the cap below 2**52."""
    shares = np.delete(terms, 1)
    is_share = (shares >= 0) & (shares <= ONE_E6)
    return bool(is_share.all()) and 0 <= int(terms[1]) < 1 << 52


def is_in_range(charges: Int64Array) -> bool:
    """Tell whether no sum of these charges can wrap; the limits of `offchain.core.addons`.

    Delta, roll and calm are below 2**31 in size, the others lie in [0, 2**32), groups in [0, 32).
    """
    signed = charges[:, list(SIGNED)]
    others = np.delete(charges, [*SIGNED, Charge.GROUP], axis=1)
    groups = charges[:, Charge.GROUP]
    return bool(
        (np.abs(signed) < 1 << LOSS_BITS).all()
        and (others >= 0).all()
        and (others < 1 << CHARGE_BITS).all()
        and (groups >= 0).all()
        and (groups < GROUPS).all()
    )


def rate_table(charges: Int64Array, covers_e6: Int64Array) -> tuple[Int64Array, bool]:
    """Return int64[ROWS, RATE], and whether its sums are small enough for bounds.

    Parameters
    ----------
    charges : int64[ROWS, COLUMNS]
        In the order of `Charge`, in range. [USD e-6]
    covers_e6 : int64[MAX_UNDERLYINGS]
        Share of short vega that is covered, of each underlying, at most one. [e-6]
    """
    table = np.zeros((ROWS, w.RATE), np.int64)
    table[:, :COLUMNS] = charges
    cover = covers_e6[np.arange(ROWS) >> SLOT_BITS]
    calm = charges[:, Charge.CALM]
    covered = -(-np.abs(calm) * cover // ONE_E6)
    either = np.abs(charges[:, Charge.ROLL]) + charges[:, Charge.DOUBT]
    table[:, w.RATE_EITHER] = either
    table[:, w.RATE_SOLD] = charges[:, Charge.SHORT_EXTRA] + np.where(calm > 0, covered, 0)
    table[:, w.RATE_BOUGHT] = np.where(calm < 0, covered, 0)
    holding = np.maximum(charges[:, Charge.LONG], charges[:, Charge.SHORT])
    most = either + holding + table[:, w.RATE_SOLD] + table[:, w.RATE_BOUGHT]
    return table, bool((most < 1 << RATE_BITS).all())


def flat_curves(curves: Int64Array) -> Int64Array:
    """Return the delta and unwinding curves as records of `CURVE` words.

    Parameters
    ----------
    curves : int64[kinds, MAX_UNDERLYINGS, MAX_TIERS, 3]
        From `core.curves.curve_table`: rate, deduction in whole e-6, and its rest.

    Notes
    -----
    Below the second bound l the first line is the largest: r_0 l = r_1 l - d_1, so l follows from
    the deduction. A curve with one line has no second bound.
    """
    flat = np.zeros((2, MAX_UNDERLYINGS, w.CURVE), np.int64)
    for kind in range(2):
        for underlying in range(MAX_UNDERLYINGS):
            lines = curves[kind, underlying].tolist()
            first, second = lines[0], lines[1]
            upto = CURVE_LIMIT
            if second[0] > first[0]:
                deducted = second[1] * ONE_E6 + second[2]
                upto = deducted // (second[0] - first[0])
            flat[kind, underlying, w.CURVE_UPTO] = upto
            flat[kind, underlying, w.CURVE_LINES :] = curves[kind, underlying].reshape(-1)
    return flat.reshape(-1)
