"""The shipped series, calibrated: determinism, scenarios, back-test and adoption."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from offchain.calibration.adoption import adopt, haircut_of
from offchain.calibration.backtest import backtest
from offchain.calibration.filtered import filter_history
from offchain.calibration.history import History, read_history
from offchain.calibration.proposal import Proposal, propose
from offchain.calibration.report import Origin, report, scenario_document
from offchain.calibration.scan_range import stressed_windows
from offchain.calibration.series import Series
from offchain.calibration.settings import DAY_S, Settings
from offchain.calibration.statistics import nearest
from offchain.calibration.synthetic import SYMBOLS, generate, write
from offchain.core.parameters import RiskParameters
from offchain.core.presets import BITCOIN, ETHER, Roles, pm36
from offchain.core.presets import Series as Listed
from offchain.ledger.document import document, parse_document

SHIPPED = Path(__file__).parents[2] / "data" / "synthetic"
SETTINGS = Settings()
ORIGIN = Origin("shipped", "PM-36", "0x00", "0x01")


@cache
def shipped() -> History:
    return read_history(SHIPPED, SYMBOLS)


@cache
def proposal() -> Proposal:
    return propose(shipped(), SETTINGS)


@cache
def base() -> RiskParameters:
    dates = (("7D", 1_767_225_600 * 10**9),)
    roles = Roles(
        tuple(f"0x{n:040x}" for n in range(1, 8)),
        insurance_owner="0x" + "a" * 40,
        backstop_owner="0x" + "b" * 40,
    )
    series = (Listed(BITCOIN, dates, (90_000,)), Listed(ETHER, dates, (500,)))
    return pm36(series, roles)


def shipped_rows(name: str) -> Iterator[tuple[int, int]]:
    with gzip.open(SHIPPED / name, "rt") as file:
        rows = csv.reader(file)
        next(rows)
        yield from ((int(time), int(value)) for time, value in rows)


def test_the_generator_writes_what_is_shipped() -> None:
    rows = list(generate())
    for place, symbol in enumerate(SYMBOLS):
        prices = shipped_rows(f"calibration/synthetic_spot_{symbol}USD_4h.csv.gz")
        assert list(prices) == [(r.time, r.prices_e1[place]) for r in rows]
        volatilities = shipped_rows(f"vol/synthetic_index_{symbol}_4h.csv.gz")
        assert list(volatilities) == [(r.time, r.volatilities_e3[place]) for r in rows]


def test_the_generator_repeats_itself(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write(tmp_path / "a", seed=5)]
    assert first == [path.read_bytes() for path in write(tmp_path / "b", seed=5)]
    assert first != [path.read_bytes() for path in write(tmp_path / "c", seed=6)]


def test_the_shipped_series_says_that_it_is_generated() -> None:
    assert shipped().is_synthetic
    assert report(proposal(), adopt(base(), proposal()), ORIGIN)["synthetic"] is True


def test_two_runs_give_the_same_bytes() -> None:
    again = propose(read_history(SHIPPED, SYMBOLS), SETTINGS)
    first, second = adopt(base(), proposal()), adopt(base(), again)
    assert document(first.parameters) == document(second.parameters)
    reports = [json.dumps(report(p, a, ORIGIN)) for p, a in ((proposal(), first), (again, second))]
    assert reports[0] == reports[1]
    assert json.dumps(scenario_document(proposal())) == json.dumps(scenario_document(again))


def test_last_bits_of_the_input_do_not_reach_the_parameters() -> None:
    noise = np.random.default_rng(9)

    def disturbed(series: Series) -> Series:
        factors = 1.0 + noise.integers(-2, 3, len(series.values)) * 2.0**-52
        return replace(series, values=series.values * factors)

    moved = replace(
        shipped(),
        prices={s: disturbed(series) for s, series in shipped().prices.items()},
        volatilities={s: disturbed(series) for s, series in shipped().volatilities.items()},
    )
    assert any((moved.prices[s].values != shipped().prices[s].values).any() for s in moved.prices)
    adoption = adopt(base(), propose(moved, SETTINGS), shortfall=True)
    assert document(adoption.parameters) == document(
        adopt(base(), proposal(), shortfall=True).parameters
    )


def test_there_are_1024_scenarios_a_quarter_of_them_stressed() -> None:
    chosen = proposal().scenarios.scenarios
    assert len(chosen) == 1_024
    assert sum(s.is_stressed for s in chosen) == 256
    assert [(s.time, s.is_stressed) for s in chosen] == sorted(
        (s.time, s.is_stressed) for s in chosen
    )
    windows = proposal().scenarios.windows
    for s in chosen:
        if s.is_stressed:
            assert any(a <= s.time <= b - 2 * DAY_S for a, b in windows)


def test_stressed_scenarios_are_what_happened_extremes_included() -> None:
    chosen = [s for s in proposal().scenarios.scenarios if s.is_stressed]
    for place, u in enumerate(proposal().underlyings):
        times = u.history.series.times[u.history.starts]
        inside = np.zeros(len(times), dtype=bool)
        for begin, end in proposal().scenarios.windows:
            inside |= (times >= begin) & (times <= end - 2 * DAY_S)
        moves = u.history.moves[inside]
        taken = [s.moves_e6[place] for s in chosen]
        assert min(taken) == nearest(float(moves.min()), 100)
        assert max(taken) == nearest(float(moves.max()), 100)


def test_filtered_scenarios_are_even_over_the_look_back() -> None:
    chosen = [s.time for s in proposal().scenarios.scenarios if not s.is_stressed]
    gaps = np.diff(chosen)
    assert chosen[-1] - chosen[0] > 1_090 * DAY_S
    assert gaps.max() - gaps.min() <= 4 * 3_600


def test_filtered_scenarios_stand_at_the_volatility_of_today_and_stressed_ones_as_they_were() -> (
    None
):
    for place, u in enumerate(proposal().underlyings):
        history, series = u.history, u.history.series
        rows = {int(time): row for row, time in enumerate(series.times)}
        for scenario in proposal().scenarios.scenarios:
            row = rows[scenario.time]
            move = series.values[row + history.steps] / series.values[row] - 1.0
            if not scenario.is_stressed:
                move *= history.sigmas[-1] / history.sigmas[row]
            assert scenario.moves_e6[place] == pytest.approx(move * 1e6, abs=51)


def test_a_back_test_does_not_look_ahead() -> None:
    u = proposal().underlyings[0]
    cut = len(u.history.series.times) - 300 * 6
    series = u.history.series.until(cut)
    history = filter_history(series, SETTINGS)
    early = backtest(history, stressed_windows(history, SETTINGS), SETTINGS)
    count = len(early.dates)
    assert u.backtest.dates[:count] == early.dates
    assert u.backtest.proposed.ranges_e6[:count] == early.proposed.ranges_e6


def test_the_proposed_range_swings_less_than_the_procyclical_one() -> None:
    for u in proposal().underlyings:
        calm, wild = u.backtest.proposed, u.backtest.procyclical
        assert calm.peak_to_trough_e6 < wild.peak_to_trough_e6
        assert min(calm.ranges_e6) > min(wild.ranges_e6)
        assert calm.largest_rise_e6 <= SETTINGS.max_up_e6
        for side in (calm.falls, calm.rises):
            assert side.exceedances <= 2 * side.expected


def test_exceedances_are_those_of_moves_beyond_the_range_then_in_force() -> None:
    u = proposal().underlyings[0]
    times, test = u.history.series.times, u.backtest
    found = 0
    for row, move in zip(u.history.starts.tolist(), u.history.moves.tolist(), strict=True):
        since = int(times[row]) - test.dates[0]
        if since >= 0 and since % (2 * DAY_S) == 0:
            held = sum(date <= times[row] for date in test.dates) - 1
            found += -move > test.proposed.ranges_e6[held] / 1e6
    assert found == test.proposed.falls.exceedances


def test_a_set_is_the_next_version_and_parses() -> None:
    adoption = adopt(base(), proposal())
    assert adoption.parameters.version == base().version + 1
    assert parse_document(document(adoption.parameters)) == adoption.parameters


def test_only_calibrated_numbers_are_replaced() -> None:
    found = adopt(base(), proposal()).parameters
    kept = replace(
        base(),
        version=found.version,
        scan=found.scan,
        addons=found.addons,
        correlation=found.correlation,
        collateral=found.collateral,
    )
    assert kept == found
    for before, after in zip(base().scan, found.scan, strict=True):
        assert before.skews == after.skews
        assert [t.move_e6 for t in before.tails] == [t.move_e6 for t in after.tails]
        for tail in after.tails:
            share = after.price_range_e6 * 1_000_000 // abs(tail.move_e6)
            assert tail.weight_e6 == min(1_000_000, share)
    for old, new in zip(base().addons, found.addons, strict=True):
        assert replace(old, calm_vol_e8=new.calm_vol_e8) == new


CREDITS = ("offset_e6", "weight_e6", "vol_power_long_e6")
"""Fields of which a larger value asks for less margin."""


def test_every_change_is_within_its_bounds_and_tightens_faster_than_it_loosens() -> None:
    for change in adopt(base(), proposal()).changes:
        fall, rise = (0.75, 1.1) if change.field.endswith(CREDITS) else (0.9, 1.25)
        assert change.value >= change.previous * fall
        assert change.value <= change.previous * rise
        assert (change.value == change.target) == (change.held == "none")


def test_the_list_of_changes_says_what_the_set_holds() -> None:
    adoption = adopt(base(), proposal())
    said = {c.field: c.value for c in adoption.changes}
    for asset in adoption.parameters.collateral:
        for place, bracket in enumerate(asset.brackets):
            assert said[f"{asset.symbol}.brackets.{place}.weight_e6"] == bracket.weight_e6
    assert said["correlation.offset_e6"] == adoption.parameters.correlation.offset_e6


def test_repeated_adoption_reaches_the_target() -> None:
    parameters = base()
    for _ in range(30):
        adoption = adopt(parameters, proposal())
        parameters = adoption.parameters
    assert {c.held for c in adoption.changes} == {"none"}
    assert parameters.version == 31
    for u, scan in zip(proposal().underlyings, parameters.scan, strict=True):
        assert scan.price_range_e6 == u.range.range_e6


def test_the_shortfall_model_gets_the_scenarios_when_it_is_asked_for() -> None:
    assert adopt(base(), proposal()).parameters.shortfall == ()
    found = adopt(base(), proposal(), shortfall=True).parameters
    (model,) = found.shortfall
    assert (len(model.moves), model.confidence_e6, model.weight_e6) == (1_024, 975_000, 0)
    again = adopt(found, proposal()).parameters
    assert again.shortfall == found.shortfall


def test_collateral_finds_its_haircut() -> None:
    def asset_of(symbol: str, underlying: str) -> str | None:
        found = haircut_of(symbol, underlying, proposal())
        return found.asset.symbol if found else None

    assert asset_of("WBTC", "BTC") == "BTC"
    assert asset_of("WETH", "ETH") == "ETH"
    assert asset_of("WSTETH", "ETH") == "LST"
    assert asset_of("GOLD", "XAU") is None


def test_a_higher_confidence_never_lowers_the_range() -> None:
    bolder = propose(shipped(), replace(SETTINGS, confidence_e6=990_000))
    for low, high in zip(bolder.underlyings, proposal().underlyings, strict=True):
        assert low.range.range_e6 <= high.range.range_e6
