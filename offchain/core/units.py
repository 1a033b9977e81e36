"""Integer units shared, name for name, with the contracts.

A name ends in its scale: ``UsdE6`` counts millionths of a dollar, ``RatioE6`` millionths of one,
``PriceE8`` hundred-millionths of a dollar per unit of the underlying. `docs/UNITS.md` is the
authority. Every limit below is checked where a value enters, so that no sum can wrap later.
"""

from typing import NewType

Lots = NewType("Lots", int)
PriceE8 = NewType("PriceE8", int)
UsdE6 = NewType("UsdE6", int)
RatioE6 = NewType("RatioE6", int)
AmountE8 = NewType("AmountE8", int)
TimestampNs = NewType("TimestampNs", int)
InstrumentId = NewType("InstrumentId", int)
AccountId = NewType("AccountId", int)

ONE_E6 = 1_000_000
ONE_E8 = 100_000_000
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
YEAR_NS = 365 * DAY_NS

SCENARIOS = 36
SLOT_BITS = 8
SLOTS = 1 << SLOT_BITS
"""Instruments of one underlying; an instrument id is ``underlying << 8 | slot``."""
MAX_UNDERLYINGS = 2
ROWS = MAX_UNDERLYINGS * SLOTS

LOTS_BITS = 24
LOSS_BITS = 31
POSITION_BITS = 5
MAX_POSITIONS = 1 << POSITION_BITS
MAX_ORDERS = 64
"""Resting orders of one account."""
PRICE_BITS = 46
CASH_BITS = 56
COLLATERAL_BITS = 40

# The largest scenario sum: positions and resting orders of one account, with room to spare.
assert LOTS_BITS + LOSS_BITS + POSITION_BITS + 2 < 63


def floor_div(numerator: int, denominator: int) -> int:
    """Divide and round toward minus infinity; `denominator` must be positive."""
    assert denominator > 0
    return numerator // denominator


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide and round toward plus infinity; `denominator` must be positive."""
    assert denominator > 0
    return -(-numerator // denominator)


def mul_div_floor(a: int, b: int, denominator: int) -> int:
    """Return floor(a * b / denominator), for what is owed to an account."""
    return floor_div(a * b, denominator)


def mul_div_ceil(a: int, b: int, denominator: int) -> int:
    """Return ceil(a * b / denominator), for what is required of an account."""
    return ceil_div(a * b, denominator)
