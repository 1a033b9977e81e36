"""A restart at any record, with the whole model on, goes on to the same roots (INV-13, S-7)."""

from dataclasses import replace
from random import Random

from offchain.core.margin import Mode
from offchain.core.model_parameters import JointMove, ShortfallModel
from offchain.core.parameters import RiskParameters
from offchain.core.units import RatioE6
from offchain.engine.risk import account_margin
from offchain.ledger.journal import Journal
from offchain.ledger.wire import Record
from tests.support.journal_venue import JournalVenue
from tests.support.venue import BTC_PERP, BTC_WEEK, RULES, WEEK_NS, feed_values, option


def with_shortfall() -> RiskParameters:
    """Return the rules with a second model of 64 moves."""
    random = Random(7)  # noqa: S311 - a seed that can be named, nothing secret

    def pair(limit: int) -> tuple[int, int]:
        return random.randrange(-limit, limit), random.randrange(-limit, limit)

    moves = tuple(JointMove(pair(200_000), pair(500_000)) for _ in range(64))
    model = ShortfallModel(RatioE6(975_000), RatioE6(300_000), moves)
    return replace(RULES, shortfall=(model,))


def a_busy_day() -> JournalVenue:
    """Return a venue with modes, conversions, a held report, funding, doubt and an expiry."""
    venue = JournalVenue(with_shortfall())
    venue.fund(insurance_usd=100_000, backstop_usd=5_000_000)
    for name in (10, 11, 12):
        venue.deposit(name, 400_000, btc=1, eth=3)
    venue.price(120_000)
    venue.trade(2, 3, BTC_PERP, 900, 120_000)
    venue.trade(2, 4, option("BTC-WEEK-120000-C"), 50, 3_000)
    venue.trade(3, 4, BTC_WEEK, 20, 120_100)
    venue.must(venue.order(4, BTC_PERP, 5, 119_000))
    venue.must(venue.order(4, BTC_PERP, -5, 121_500))
    venue.fund_tick(300)
    venue.must(venue.set_mode(3, Mode.CROSS))
    venue.must(venue.convert(4, 1, 0.25))
    venue.price(116_500, 4_150, 52, step_s=300)
    venue.must(venue.report(*feed_values(105_000, 3_900, 70), step_s=60))  # waits
    venue.must(venue.report(*feed_values(105_500, 3_910, 70, stable=98_700_000), step_s=60))
    venue.must(venue.convert(4, 2, 1))
    venue.fund_tick(400)
    venue.now = WEEK_NS
    venue.price(104_000, 3_850, 60)
    venue.price(103_000, 3_850, 60, step_s=3_600)
    return venue


def test_a_restart_at_any_record_goes_on_to_the_same_state() -> None:
    venue = a_busy_day()
    records = [Record(seq, now, venue.fence, command) for seq, now, command in venue.log]
    roots = []
    whole = Journal(strict=True)
    for record in records:
        whole.apply(record)
        roots.append(whole.state_root())
    assert roots[-1] == venue.journal.state_root()
    assert len(set(roots)) == len(roots)
    live = Journal(strict=True)
    for place, record in enumerate(records):
        live.apply(record)
        live = Journal.restore(live.snapshot())  # a restart after every record
        assert live.state_root() == roots[place], place
    last = live.state
    for account in range(last.accounts.count):
        assert account_margin(last, account) == account_margin(venue.state, account)
