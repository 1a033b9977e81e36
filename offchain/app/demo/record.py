"""What the demo writes down as it goes, for the summary and the picture."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from offchain.core.presets import COLLATERAL
from offchain.engine import events as e
from offchain.engine.messages import Convert, Forced
from offchain.ledger.wire import Record


@dataclass(frozen=True, slots=True)
class Step:
    """One liquidation step as the engine decided it."""

    time_ns: int
    account: int
    tier: e.Tier
    ratio_e6: int
    price_e8: int


@dataclass(slots=True)
class Book:
    """Counts and series of one run; a listener of the sequencer."""

    orders: int = 0
    fills: int = 0
    warnings: int = 0
    steps: list[Step] = field(default_factory=list)
    drawn_e6: int = 0
    shortfall_e6: int = 0
    handed_over: int = 0
    mode_changes: int = 0
    modes_refused: int = 0
    conversions: int = 0
    forced_done: int = 0
    forced_in_vain: int = 0
    forced_outputs: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    index_e8: list[int] = field(default_factory=list)
    fund_e6: list[int] = field(default_factory=list)
    ratios_e6: dict[int, list[int | None]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _price_e8: int = 0

    def listen(self, record: Record, events: tuple[e.Event, ...]) -> None:
        """Count what one record caused."""
        called = [x for x in events if isinstance(x, e.MarginLevelChanged) and x.level > 0]
        if called:
            self.warnings += len(called)
            worst = max(x.level for x in called)
            self.lines.append(f"margin call for {len(called)} accounts, up to level {worst}")
        for event in events:
            match event:
                case e.PriceAccepted():
                    self._price_e8 = event.medians[0]
                case e.Filled():
                    self.fills += 1
                case e.PositionTransferred():
                    self.handed_over += 1
                case e.ModeChanged():
                    self.mode_changes += 1
                case e.CollateralSold():
                    self._note_sale(record, event)
                case e.LiquidationOrdered():
                    self._note_step(record, event)
                case e.DeficitCovered():
                    self.drawn_e6 += event.paid_e6
                    self.shortfall_e6 += event.shortfall_e6
                    self.lines.append(
                        f"insurance pays {usd(event.paid_e6)} for account {event.account}"
                        + (f", {usd(event.shortfall_e6)} short" if event.shortfall_e6 else "")
                    )
                case _:
                    self._note_forced(record, event)
        self.orders += type(record.command).__name__ == "PlaceOrder"

    def _note_forced(self, record: Record, event: e.Event) -> None:
        match event:
            case e.ForcedDone():
                self.forced_done += 1
            case e.ForcedNoop():
                self.forced_in_vain += 1
                self.lines.append(f"a forced operation came to nothing: {event.reason.name}")
            case e.Withdrawn() if isinstance(record.command, Forced):
                self.forced_outputs.append(event.output_id)
            case _:
                pass

    def _note_sale(self, record: Record, event: e.CollateralSold) -> None:
        is_free = isinstance(record.command, Convert)
        self.conversions += is_free
        coins, why = event.amount / 1e8, "converts" if is_free else "gives up"
        self.lines.append(
            f"account {event.seller} {why} {coins:,.4f} {COLLATERAL[event.asset - 1].symbol} "
            f"for {usd(event.cash_e6)}"
        )

    def _note_step(self, record: Record, event: e.LiquidationOrdered) -> None:
        self.steps.append(
            Step(record.time_ns, event.account, event.tier, event.ratio_e6, self._price_e8)
        )
        lots = sum(abs(leg.lots) for leg in event.legs)
        self.lines.append(
            f"{event.tier.name.lower()} liquidation of account {event.account}: "
            f"ratio {event.ratio_e6 / 1e4:.0f} %, {lots} lots in {len(event.legs)} legs"
        )

    def take_lines(self) -> list[str]:
        """Return what is worth reading since the last call."""
        lines, self.lines = self.lines, []
        return lines

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the seconds of a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - start, 2)


def usd(amount_e6: int) -> str:
    """Return an amount as people write it."""
    return f"{amount_e6 / 1e6:,.0f} USD"
