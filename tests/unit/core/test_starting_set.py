"""The starting set says what docs/RISK_MODEL.md says of it."""

from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.units import DAY_NS, ONE_E6, YEAR_NS

ROLES = Roles(tuple(f"0x{i:040x}" for i in range(1, 6)), "0x" + "a" * 40, "0x" + "b" * 40)
RULES = pm36(
    [Series(BITCOIN, (("Y", YEAR_NS),), (60_000,)), Series(ETHER, (("Y", YEAR_NS),), (3_000,))],
    ROLES,
)


def test_one_skew_tilts_the_smile_and_the_other_lifts_both_wings() -> None:
    for scan in RULES.scan:
        assert [skew.absolute for skew in scan.skews] == [False, True]


def test_funding_is_for_eight_hours_and_a_keeper_earns_five_dollars() -> None:
    assert RULES.funding.period_ns * 3 == DAY_NS
    assert RULES.liquidation.keeper_fee_e6 == 5 * ONE_E6


def test_the_grids_are_those_of_the_page() -> None:
    grids = [(s.price_range_e6, s.vol_up_e6, s.vol_down_e6) for s in RULES.scan]
    assert grids == [(160_000, 500_000, 250_000), (180_000, 400_000, 250_000)]
