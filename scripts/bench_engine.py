#!/usr/bin/env python3
"""Time the machine on a mix of commands, and the journal on the same mix as a replay does.

Of 100 commands 70 are limit orders (half rest, half are immediate and fill part of what rests), 25
cancel an order and 5 are price reports, each followed by the sweep for accounts below their
trigger. 1,000 accounts hold three positions each. Signatures, log and network are left out.

The reference is the same mix on the same machine with the risk arithmetic in unbounded Python
integers, which is what defines it. Usage: bench_engine.py, or `measure()`.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from typing import Any
from unittest.mock import patch

from offchain.core.curves import Line
from offchain.core.instruments import SHAPE_KINDS, FeedKind
from offchain.core.oracle import STILL
from offchain.core.portfolio import maintenance_reference, portfolio_reference
from offchain.core.presets import BITCOIN, ETHER, Roles, Series, pm36
from offchain.core.sweep import account_bounds_reference
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    SECOND_NS,
    AccountId,
    InstrumentId,
    Lots,
    PriceE8,
    TimestampNs,
)
from offchain.engine import machine
from offchain.engine.messages import (
    CancelOrder,
    Command,
    Deposit,
    Genesis,
    Observation,
    PlaceOrder,
    PriceReport,
    TimeInForce,
)
from offchain.engine.reasons import Rejected
from offchain.engine.state import State
from offchain.ledger.journal import MAX_OPEN_RECORDS, Journal
from offchain.ledger.wire import Record
from offchain.pricing.surface import Surface, encode_surface

SEED = 100
ROUNDS = 5
ACCOUNTS, POSITIONS = 1_000, 3
COMMANDS, REFERENCE_COMMANDS, RESTING = 2_000, 200, 1_000
START_NS = 1_760_054_400 * SECOND_NS
STEP_NS = 10_000_000
FAR = TimestampNs(START_NS + 30 * DAY_NS)
UNSIGNED = bytes(65)
SPOT_USD = (120_000, 4_300)
SMILE = Surface(45_000_000, 3_000_000, -20_000_000, 0, 10_000_000)
Measurement = dict[str, float | str]

EXPIRIES = (("WEEK", START_NS + 7 * DAY_NS), ("MONTH", START_NS + 21 * DAY_NS))
RULES = pm36(
    (
        Series(BITCOIN, EXPIRIES, (100_000, 110_000, 120_000, 130_000)),
        Series(ETHER, EXPIRIES, (3_600, 4_000, 4_400, 4_800)),
    ),
    Roles(tuple(f"0x{i:040x}" for i in range(1, 8)), "0x" + "f0" * 20, "0x" + "f1" * 20),
)
TRADED = [i.id for i in RULES.listing.instruments if not i.is_option or i.slot % 4 == 3][:8]


@dataclass
class Mix:
    """A venue that is filled and then sent the mix; `records` is what it accepted."""

    rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a mix
    journal: Journal = field(default_factory=Journal)
    records: list[Record] = field(default_factory=list)
    now: int = START_NS
    round: int = 0
    nonce: int = 0

    def do(self, command: Command) -> bool:
        """Apply and keep one command; False when the machine refuses it."""
        self.now += STEP_NS
        if self.journal.open_records == MAX_OPEN_RECORDS:
            self.journal.cut(bytes(32))
        record = Record(self.journal.state.last_seq + 1, self.now, 1, command)
        if isinstance(self.journal.apply(record), Rejected):
            return False
        self.records.append(record)
        return True

    def fill(self) -> None:
        """Open the accounts and give each its positions."""
        self.do(Genesis(RULES))
        self.do(self.report())
        for name in range(1, ACCOUNTS + 1):
            owner = name.to_bytes(20)
            assert self.do(Deposit(name, 0, owner, 0, 0, 5_000_000 * ONE_E6))
        for _ in range(POSITIONS):
            for account in range(2, ACCOUNTS + 2, 2):
                instrument = self.rng.choice(TRADED)
                lots, price = self.rng.randint(1, 50), self.mark(instrument)
                assert self.do(self.order(account, instrument, lots, price))
                assert self.do(self.order(account + 1, instrument, -lots, price))
        for _ in range(RESTING):
            self.do(self.limit(is_immediate=False))
        self.journal.cut(bytes(32))
        self.records.clear()

    def send(self, count: int) -> None:
        """Let the machine accept `count` commands of the mix."""
        for _ in range(4 * count):
            if len(self.records) == count:
                return
            place = len(self.records) % 20
            if place == 0:
                self.do(self.report())
            elif place % 4 == 3:
                self.do(self.cancel())
            else:
                self.do(self.limit(is_immediate=place % 2 == 0))
        raise AssertionError("the machine refuses most of the mix")

    def limit(self, *, is_immediate: bool) -> PlaceOrder:
        """Return an order away from the mark, or one that takes part of what rests."""
        instrument = self.rng.choice(TRADED)
        lots = self.rng.choice((-1, 1)) * self.rng.randint(1, 20)
        mark, tick = self.mark(instrument), self.journal.state.underlying(instrument).tick_e8
        away = self.rng.randint(0 if is_immediate else 1, 20) * tick
        toward = 1 if (lots > 0) == is_immediate else -1
        account = self.rng.randrange(2, ACCOUNTS + 2)
        tif = TimeInForce.IMMEDIATE_OR_CANCEL if is_immediate else TimeInForce.GOOD_TILL_CANCELLED
        return self.order(account, instrument, lots, max(tick, mark + toward * away), tif)

    def cancel(self) -> CancelOrder:
        """Return the cancellation of an order that rests, or of none."""
        state = self.journal.state
        resting = [o for i in TRADED for o in state.books[i].orders()]
        self.nonce += 1
        if not resting:
            return CancelOrder(AccountId(2), 0, self.nonce, FAR, UNSIGNED)
        order = self.rng.choice(resting)
        return CancelOrder(order.account, order.order_id, self.nonce, FAR, UNSIGNED)

    def order(
        self,
        account: int,
        instrument: InstrumentId,
        lots: int,
        price_e8: int,
        tif: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
    ) -> PlaceOrder:
        """Return an order that nobody signed."""
        self.nonce += 1
        return PlaceOrder(
            AccountId(account),
            instrument,
            Lots(lots),
            PriceE8(price_e8),
            tif,
            False,
            self.nonce,
            FAR,
            UNSIGNED,
        )

    def report(self) -> PriceReport:
        """Return a round a little off the spot, unsigned."""
        self.round += 1
        shift = self.rng.randint(-20, 20)
        smile = dict(zip(SHAPE_KINDS, encode_surface(SMILE)[1:], strict=True))
        fixed = {**smile, FeedKind.VOLATILITY: SMILE.v0_e8, FeedKind.STABLE: ONE_E8}
        values = [
            fixed.get(f.kind, SPOT_USD[f.underlying] * (10_000 + shift) * ONE_E8 // 10_000)
            for f in RULES.listing.feeds
        ]
        seen = tuple(
            Observation(i, tuple(values), (STILL,) * len(values), UNSIGNED) for i in range(5)
        )
        return PriceReport(self.round, TimestampNs(self.now + STEP_NS), seen)

    def mark(self, instrument: InstrumentId) -> int:
        """Return the mark price. [USD e-8]"""
        return int(self.journal.state.market.prices.marks_e8[instrument])


def apply_all(state: State, records: Sequence[Record], *, with_sweep: bool = True) -> None:
    """Apply a mix as the sequencer does, without log and signatures."""
    for record in records:
        decision = machine.apply(state, record.command, record.seq, record.time_ns)
        assert not isinstance(decision, Rejected), str(decision)
        if with_sweep and isinstance(record.command, PriceReport):
            machine.below_trigger(state)


def replay_all(journal: Journal, records: Sequence[Record]) -> None:
    """Apply a mix as a replay does: machine, encoding, chain, roots of epochs."""
    for record in records:
        outcome = journal.apply(record)
        assert not isinstance(outcome, Rejected), str(outcome)


class PlainRisk:
    """The kernels of margin in Python integers, with the arguments of the kernels."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[object, list[Any]]] = {}

    def rows(self, array: Any) -> list[Any]:
        """Return an array as lists, converted once."""
        held, rows = self._seen.get(id(array), (None, []))
        if held is not array:
            rows = array.tolist()
            self._seen[id(array)] = (array, rows)
        return rows

    def curves(self, array: Any) -> list[list[list[Line]]]:
        """Return the straight lines of every curve from the table of `curve_table`."""
        return [
            [
                [(rate, whole * ONE_E6 + rest) for rate, whole, rest in rows if rate or whole]
                for rows in of
            ]
            for of in self.rows(array)
        ]

    def portfolio_margin(
        self,
        lines: Any,
        orders: Any,
        losses_e6: Any,
        charges: Any,
        curves: Any,
        terms: Any,
        figures: Any,
    ) -> None:
        """Stand in for `portfolio_margin`."""
        delta, unwind, _ = self.curves(curves)
        addons, risk, with_orders, worst = portfolio_reference(
            lines.tolist(),
            orders.tolist(),
            self.rows(losses_e6),
            self.rows(charges),
            delta,
            unwind,
            terms.tolist(),
        )
        figures[:] = [*astuple(addons), risk, with_orders, 0, *worst]

    def maintenance_of(
        self,
        chosen: Any,
        modes: Any,
        ids: Any,
        lots: Any,
        counts: Any,
        losses_e6: Any,
        charges: Any,
        curves: Any,
        terms: Any,
        mm_factor_e6: int,
        out: Any,
    ) -> None:
        """Stand in for `maintenance_of`."""
        losses, rows, of = self.rows(losses_e6), self.rows(charges), self.curves(curves)
        for place, a in enumerate(chosen.tolist()):
            n = int(counts[a])
            held = list(zip(ids[a, :n].tolist(), lots[a, :n].tolist(), strict=True))
            out[place] = maintenance_reference(
                int(modes[a]), held, losses, rows, of, terms.tolist(), mm_factor_e6
            )

    def sweep_bounds(
        self,
        ids: Any,
        lots: Any,
        counts: Any,
        net_cash: Any,
        credit: Any,
        values: Any,
        rates: Any,
        _packed: Any,
        balance: Any,
        scan: Any,
        gross: Any,
    ) -> None:
        """Stand in for `sweep_bounds`."""
        rows, worth, gross_rates = self.rows(self.losses()), values.tolist(), rates.tolist()
        for a, n in enumerate(counts.tolist()):
            balance[a], scan[a], gross[a] = account_bounds_reference(
                ids[a, :n].tolist(),
                lots[a, :n].tolist(),
                int(net_cash[a]) + int(credit[a]),
                worth,
                gross_rates,
                rows,
            )

    def packed_losses(self, losses_e6: Any) -> Any:
        """Stand in for `packed_losses`: remember what is not packed."""
        self._losses = losses_e6
        return losses_e6

    def losses(self) -> Any:
        """Return the losses of the sweep."""
        return self._losses


@contextmanager
def plain_risk() -> Iterator[None]:
    """Let the engine compute risk in Python integers."""
    plain = PlainRisk()
    names = ("maintenance_of", "sweep_bounds", "packed_losses")
    swept = {name: getattr(plain, name) for name in names}
    with (
        patch("offchain.engine.requirements.portfolio_margin", plain.portfolio_margin),
        patch.multiple("offchain.engine.sweeps", **swept),
    ):
        yield


def best(
    prepare: Callable[[], Any], work: Callable[[Any], None], rounds: int
) -> tuple[float, float]:
    """Return the best CPU and wall time of some rounds, each on a fresh state. [s]"""
    cpu, wall = [], []
    for _ in range(rounds):
        fresh = prepare()
        begun, began = time.process_time(), time.perf_counter()
        work(fresh)
        cpu.append(time.process_time() - begun)
        wall.append(time.perf_counter() - began)
    return min(cpu), min(wall)


def measure() -> dict[str, Measurement]:
    """Return the figures of this part, by their key in the bench report."""
    mix = Mix()
    mix.fill()
    start = mix.journal.snapshot()
    mix.send(COMMANDS)
    records, some = mix.records, mix.records[:REFERENCE_COMMANDS]

    def fresh() -> Journal:
        return Journal.restore(start)

    def state() -> State:
        return fresh().state

    apply_all(state(), some)  # the first call compiles
    cpu, wall = best(state, lambda s: apply_all(s, records), ROUNDS)
    with plain_risk():
        plain, _ = best(state, lambda s: apply_all(s, some), 2)
    alone, _ = best(state, lambda s: apply_all(s, records, with_sweep=False), ROUNDS)
    replay_cpu, replay_wall = best(fresh, lambda j: replay_all(j, records), ROUNDS)
    rate, plain_rate = len(records) / cpu, len(some) / plain
    return {
        "engine.commands_per_s": {
            "value": round(rate, 1),
            "unit": "commands/s",
            "ratio": round(rate / plain_rate, 3),
            "reference": f"risk in Python integers: {plain_rate:,.0f} commands/s",
            "cpu_s": cpu,
            "wall_s": wall,
        },
        "engine.replay_records_per_s": {
            "value": round(len(records) / replay_cpu, 1),
            "unit": "records/s",
            "ratio": round(alone / replay_cpu, 3),
            "reference": "the machine alone, without the sweep",
            "cpu_s": replay_cpu,
            "wall_s": replay_wall,
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
