"""Reports carry signed, rounded, slightly different views of the same market (INV-6)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from offchain.core.instruments import SHAPE_KINDS, Feed, FeedKind, Listing, Underlying
from offchain.core.oracle import STILL, UNKNOWN, Bracket, Span, brackets, medians
from offchain.core.units import ONE_E8, YEAR_NS, PriceE8, TimestampNs
from offchain.engine.messages import Observation
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import Domain, observation_digest
from offchain.pricing.surface import decode_surface
from offchain.services.errors import QuorumMissing
from offchain.services.feed_model import (
    MAX_VOLATILITY_E8,
    SHAPE_TICK_E8,
    VOLATILITY_TICK_E8,
    FeedModel,
    FeedTerms,
    to_step,
)
from offchain.services.gateway import IntentReason, check_report
from offchain.services.oracle import Noise, Observer, OracleNetwork, OracleSigner
from offchain.services.ports import Spot
from offchain.services.signing import KeySigner

TICK = PriceE8(10_000_000)
EXPIRY = TimestampNs(YEAR_NS)
LISTING = Listing(
    underlyings=(Underlying(0, "BTC", 100_000, TICK),),
    instruments=(),
    feeds=(
        Feed(FeedKind.INDEX, 0, TimestampNs(0)),
        Feed(FeedKind.FORWARD, 0, EXPIRY),
        Feed(FeedKind.VOLATILITY, 0, EXPIRY),
    ),
)
DOMAIN = Domain(31337, bytes(19) + b"\x01")
KEYS = [KeySigner(bytes(31) + bytes([n])) for n in range(1, 8)]
SEEN = (100_000 * ONE_E8, 108_000 * ONE_E8, 45_000_000)
NOW = TimestampNs(5)


def signer(index: int, bound_e6: int = 200) -> OracleSigner:
    return OracleSigner(KEYS[index], index, DOMAIN, LISTING, Noise(seed=11, bound_e6=bound_e6))


class Silent:
    """An oracle that is down."""

    def __init__(self, index: int) -> None:
        self.index = index

    def observe(
        self, round_: int, observed_at_ns: TimestampNs, seen: Sequence[int]
    ) -> Observation | None:
        """Say nothing."""
        return None


def test_every_observation_is_signed_by_the_key_of_its_place() -> None:
    report = OracleNetwork([signer(n) for n in range(7)], 5).report(3, NOW, SEEN)
    assert [o.signer for o in report.observations] == list(range(7))
    for o in report.observations:
        digest = observation_digest(DOMAIN, 3, NOW, o.values, o.spans)
        assert recover(digest, o.signature) == KEYS[o.signer].address


def test_observations_stray_within_their_bound_and_lie_on_the_tick() -> None:
    report = OracleNetwork([signer(n) for n in range(7)], 5).report(3, NOW, SEEN)
    steps = (TICK, TICK, VOLATILITY_TICK_E8)
    assert len({o.values for o in report.observations}) == 7
    for o in report.observations:
        for value, centre, step in zip(o.values, SEEN, steps, strict=True):
            assert value % step == 0
            assert abs(value - centre) <= centre * 200 // 10**6 + step


def test_noise_repeats_by_seed_signer_and_round() -> None:
    assert signer(2).observe(9, NOW, SEEN) == signer(2).observe(9, NOW, SEEN)
    assert signer(2).observe(9, NOW, SEEN) != signer(2).observe(10, NOW, SEEN)


def test_a_signer_knows_no_interval_until_it_has_observed() -> None:
    first = signer(2)
    first.watch(SEEN)
    assert first.observe(9, NOW, SEEN).spans == (UNKNOWN,) * 3
    assert first.observe(9, NOW, SEEN).spans == (UNKNOWN,) * 3
    assert first.observe(10, NOW, SEEN).spans == (STILL,) * 3


def priced(usd: int) -> tuple[int, ...]:
    return (usd * ONE_E8, *SEEN[1:])


def test_an_interval_reaches_from_the_round_before_to_this_one() -> None:
    oracle = signer(0, bound_e6=0)
    oracle.observe(1, NOW, priced(100_000))
    for usd in (98_000, 103_000, 101_000):
        oracle.watch(priced(usd))
    assert oracle.observe(2, NOW, priced(100_000)).spans[0] == Span(2_000, 3_000)
    # The next one begins where that ended, whatever was seen before.
    assert oracle.observe(3, NOW, priced(110_000)).spans == (Span(9_091, 0), STILL, STILL)


def test_a_round_that_is_observed_again_keeps_the_beginning_of_its_interval() -> None:
    oracle = signer(0, bound_e6=0)
    oracle.observe(1, NOW, priced(100_000))
    oracle.watch(priced(90_000))
    assert oracle.observe(2, NOW, priced(100_000)).spans[0] == Span(10_000, 0)
    assert oracle.observe(2, TimestampNs(6), priced(100_000)).spans[0] == Span(10_000, 0)
    assert oracle.observe(3, TimestampNs(7), priced(100_000)).spans[0] == STILL


def test_spans_repeat_in_a_replay_and_cover_what_the_signer_saw() -> None:
    def replay() -> list[Observation]:
        oracle = signer(3)
        seen = [oracle.observe(1, NOW, priced(100_000))]
        for round_, usd in ((2, 91_111), (3, 123_457), (4, 123_456)):
            oracle.watch(priced(usd + 777))
            seen.append(oracle.observe(round_, NOW, priced(usd)))
        return seen

    assert replay() == replay()
    for before, after in pairwise(replay()):
        (found,) = brackets([after.values[:1]], [after.spans[:1]])
        assert found.low <= after.values[0] <= found.high
        # The value before, without the 0.04 % by which two draws of noise may differ.
        assert found.low <= before.values[0] * 10_004 // 10_000
        assert found.high >= before.values[0] * 9_996 // 10_000


def test_a_move_beyond_the_largest_span_has_no_bound() -> None:
    oracle = signer(0, bound_e6=0)
    oracle.observe(1, NOW, priced(100_000))
    fallen = oracle.observe(2, NOW, priced(40_000))
    assert fallen.spans[0] == Span(0, 65_535)
    assert brackets([fallen.values], [fallen.spans])[0] == Bracket(40_000 * ONE_E8, 2**63 - 1)


def test_the_median_without_noise_is_what_was_seen() -> None:
    report = OracleNetwork([signer(n, bound_e6=0) for n in range(5)], 5).report(1, NOW, SEEN)
    assert medians([o.values for o in report.observations]) == SEEN


def test_a_quorum_of_the_signers_is_enough_and_one_less_is_not() -> None:
    enough: list[Observer] = [
        signer(0),
        Silent(1),
        signer(2),
        signer(3),
        Silent(4),
        signer(5),
        signer(6),
    ]
    report = OracleNetwork(enough, 5).report(1, NOW, SEEN)
    assert [o.signer for o in report.observations] == [0, 2, 3, 5, 6]
    with pytest.raises(QuorumMissing, match="4 of 5"):
        OracleNetwork([*enough[:-1], Silent(6)], 5).report(1, NOW, SEEN)


@pytest.mark.parametrize(("order", "quorum"), [([1, 0], 1), ([0, 0], 1), ([0, 1], 3), ([0, 1], 0)])
def test_a_network_with_wrong_places_or_quorum_is_refused(order: list[int], quorum: int) -> None:
    with pytest.raises(ValueError, match="observers"):
        OracleNetwork([signer(n) for n in order], quorum)


def model(**terms: int) -> FeedModel:
    return FeedModel(LISTING, (FeedTerms(**terms),))


def test_the_forward_carries_the_basis_until_its_expiry() -> None:
    feeds = model(basis_e6=80_000)
    assert feeds.values(Spot(0, (100_000 * ONE_E8,)))[:2] == (100_000 * ONE_E8, 108_000 * ONE_E8)
    assert feeds.values(Spot(YEAR_NS, (100_000 * ONE_E8,)))[1] == 100_000 * ONE_E8


def test_volatility_rises_with_the_drawdown_and_the_move_up_to_its_limit() -> None:
    feeds = model(base_volatility_e8=45_000_000, move_response_e6=0, drawdown_response_e6=2_000_000)
    assert feeds.values(Spot(0, (100_000 * ONE_E8,)))[2] == 45_000_000
    assert feeds.values(Spot(1, (90_000 * ONE_E8,)))[2] == 65_000_000
    assert feeds.values(Spot(2, (100_000 * ONE_E8,)))[2] == 45_000_000
    moving = model(
        base_volatility_e8=45_000_000, drawdown_response_e6=0, move_response_e6=16_000_000
    )
    moving.values(Spot(0, (100_000 * ONE_E8,)))
    assert moving.values(Spot(1, (90_000 * ONE_E8,)))[2] == 55_000_000
    assert model(drawdown_response_e6=10**9).values(Spot(0, (ONE_E8,)))[2] < MAX_VOLATILITY_E8
    crashed = model(drawdown_response_e6=10**9)
    crashed.values(Spot(0, (100_000 * ONE_E8,)))
    assert crashed.values(Spot(1, (50_000 * ONE_E8,)))[2] == MAX_VOLATILITY_E8


def test_a_spot_with_another_number_of_prices_is_refused() -> None:
    with pytest.raises(ValueError, match="2 prices for 1"):
        model().values(Spot(0, (1, 2)))


def test_rounding_goes_to_the_nearest_step_and_never_to_zero() -> None:
    assert [to_step(v, 10) for v in (1, 14, 15, 25)] == [10, 10, 20, 30]


ADDRESSES = [f"0x{key.address.hex()}" for key in KEYS]


def test_a_genuine_report_passes_the_gate() -> None:
    report = OracleNetwork([signer(n) for n in range(7)], 5).report(3, NOW, SEEN)
    assert check_report(DOMAIN, ADDRESSES, report) is None


def test_a_report_with_one_wrong_observation_is_turned_away() -> None:
    report = OracleNetwork([signer(n) for n in range(7)], 5).report(3, NOW, SEEN)
    first, *others = report.observations
    wrong = [
        replace(report, round=4),
        replace(report, observed_at_ns=TimestampNs(6)),
        *(
            replace(report, observations=(bad, *others))
            for bad in (
                replace(first, values=(first.values[0] + 1, *first.values[1:])),
                replace(first, spans=(Span(0, 1), *first.spans[1:])),
                replace(first, spans=first.spans[1:]),
                replace(first, spans=(*first.spans, STILL)),
                replace(first, spans=(Span(0, 1 << 16), *first.spans[1:])),
                replace(first, signature=bytes(65)),
                replace(first, signer=1),
                replace(first, signer=7),
                replace(first, values=(2**63, *first.values[1:])),
            )
        ),
    ]
    for forged in wrong:
        refused = check_report(DOMAIN, ADDRESSES, forged)
        assert refused is not None
        assert refused.reason == IntentReason.BAD_OBSERVATION


def test_every_value_has_its_span_even_where_an_oracle_signs_another_number() -> None:
    report = OracleNetwork([signer(n) for n in range(7)], 5).report(3, NOW, SEEN)
    first, *others = report.observations
    for spans in ((), (STILL,) * 2, (STILL,) * 4):
        signature = KEYS[0].sign(observation_digest(DOMAIN, 3, NOW, first.values, spans))
        odd = replace(first, spans=spans, signature=signature)
        refused = check_report(DOMAIN, ADDRESSES, replace(report, observations=(odd, *others)))
        assert refused is not None
        assert refused.reason == IntentReason.BAD_OBSERVATION


SHAPED = Listing(
    underlyings=LISTING.underlyings,
    instruments=(),
    feeds=(
        *LISTING.feeds,
        *(Feed(kind, 0, EXPIRY) for kind in SHAPE_KINDS),
        Feed(FeedKind.STABLE, 0, TimestampNs(0)),
    ),
)


def shaped(**terms: int) -> FeedModel:
    return FeedModel(SHAPED, (FeedTerms(**terms),))


def test_a_smile_narrows_with_the_root_of_time_and_tilts_in_a_fall() -> None:
    feeds = shaped(slope_e8=10_000_000, tilt_e8=-20_000_000, tilt_response_e6=1_000_000)
    year, fallen = (
        feeds.values(Spot(time, (usd * ONE_E8,)))
        for time, usd in ((0, 100_000), (3 * YEAR_NS // 4, 90_000))
    )
    first, later = (decode_surface(values[2], values[3:7]) for values in (year, fallen))
    assert (first.slope_e8, later.slope_e8) == (10_000_000, 5_000_000)  # a year, then a quarter
    assert (first.tilt_e8, later.tilt_e8) == (-20_000_000, -30_000_000)
    assert first.width_e8 == later.width_e8 == 10_000_000


def test_the_cash_asset_is_at_par_in_calm_and_dips_in_a_fall() -> None:
    feeds = shaped(peg_response_e6=50_000)
    assert feeds.values(Spot(0, (100_000 * ONE_E8,)))[-1] == ONE_E8
    assert feeds.values(Spot(1, (80_000 * ONE_E8,)))[-1] == 99_000_000


def test_shapes_are_observed_on_their_own_step() -> None:
    seen = shaped().values(Spot(0, (100_000 * ONE_E8,)))
    signers = [OracleSigner(KEYS[n], n, DOMAIN, SHAPED, Noise(seed=11)) for n in range(5)]
    for o in OracleNetwork(signers, 5).report(1, NOW, seen).observations:
        for value, centre in zip(o.values[3:], seen[3:], strict=True):
            assert value % SHAPE_TICK_E8 == 0
            assert abs(value - centre) <= centre * 200 // 10**6 + SHAPE_TICK_E8
