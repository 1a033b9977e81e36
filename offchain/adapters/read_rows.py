"""From one record and its events to rows of the read model."""

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import Table

from offchain.adapters import read_tables as t
from offchain.engine import events as e
from offchain.engine.accounts import INSURANCE
from offchain.engine.messages import Liquidate, PlaceOrder
from offchain.ledger.wire import Record

Row = dict[str, Any]


class Rows:
    """Rows and changes of orders gathered from records, in order.

    Attributes
    ----------
    inserts : dict
        New rows of each table.
    fills : list
        Lots to add to a maker's rest: `order` and `delta`.
    closings : list
        Orders that left the book without trading: `order` and `reason`.
    """

    def __init__(self) -> None:
        self.inserts: defaultdict[Table, list[Row]] = defaultdict(list)
        self.fills: list[Row] = []
        self.closings: list[Row] = []

    def add(self, record: Record, events: tuple[e.Event, ...]) -> None:
        """Take in one record."""
        if isinstance(record.command, PlaceOrder):
            self._order(record, record.command, events)
        if isinstance(record.command, Liquidate):
            self._liquidation(record, events)
        for place, event in enumerate(events):
            self._event(record, place, event)

    def _insert(self, table: Table, record: Record, place: int, **values: object) -> None:
        key = record.seq << t.PLACE_BITS | place
        row = {"id": key, "seq": record.seq, "time_ns": record.time_ns, **values}
        self.inserts[table].append(row)

    def _order(self, record: Record, order: PlaceOrder, events: tuple[e.Event, ...]) -> None:
        left, status, closing = 0, "filled", None
        for event in events:
            if isinstance(event, e.OrderRested):
                left, status = event.lots, "open"
            elif isinstance(event, e.OrderClosed) and event.order_id == record.seq:
                filled = sum(f.lots for f in events if isinstance(f, e.Filled))
                left, status = order.lots - filled, "closed"
                closing = event.closing.name.lower()
        self.inserts[t.ORDERS].append(
            {
                "order_id": record.seq,
                "account": order.account,
                "instrument": order.instrument,
                "lots": order.lots,
                "lots_left": left,
                "limit_price_e8": order.limit_price_e8,
                "time_in_force": order.time_in_force.name.lower(),
                "reduce_only": order.reduce_only,
                "expires_at_ns": str(order.expires_at_ns),
                "status": status,
                "closing": closing,
                "time_ns": record.time_ns,
            }
        )

    def _liquidation(self, record: Record, events: tuple[e.Event, ...]) -> None:
        ordered = next((o for o in events if isinstance(o, e.LiquidationOrdered)), None)
        if ordered is None:
            return
        penalty = sum(p.amount_e6 for p in events if isinstance(p, e.PenaltyCharged))
        deficits = [d for d in events if isinstance(d, e.DeficitCovered)]
        legs = [[leg.instrument, leg.lots, leg.limit_price_e8] for leg in ordered.legs]
        self._insert(
            t.LIQUIDATIONS,
            record,
            0,
            account=ordered.account,
            tier=ordered.tier.name.lower(),
            margin_balance_e6=ordered.margin_balance_e6,
            maintenance_e6=ordered.maintenance_e6,
            ratio_e6=str(ordered.ratio_e6),
            legs=json.dumps(legs, separators=(",", ":")),
            penalty_e6=penalty,
            covered_e6=sum(d.paid_e6 for d in deficits),
            shortfall_e6=sum(d.shortfall_e6 for d in deficits),
        )

    def _event(self, record: Record, place: int, event: e.Event) -> None:
        match event:
            case e.Deposited():
                self._deposit(record, place, event)
            case e.Filled():
                self._fill(record, place, event)
            case e.OrderClosed():
                closing = {"order": event.order_id, "reason": event.closing.name.lower()}
                self.closings.append(closing)
            case e.CollateralSold():
                self._sale(record, place, event)
            case e.PenaltyCharged():
                self._insurance(record, place, "penalty", event.account, event.amount_e6)
            case e.DeficitCovered():
                self._insurance(record, place, "draw", event.account, -event.paid_e6)
            case _:
                self._plain(record, place, event)

    def _plain(self, record: Record, place: int, event: e.Event) -> None:
        """Take in an event that is one row; those without a table are shown from nowhere."""
        match event:
            case e.AccountOpened():
                self._opened(record, event)
            case e.FundingAccrued():
                self._insert(
                    t.FUNDING,
                    record,
                    place,
                    instrument=event.instrument,
                    rate_e8=event.rate_e8,
                    step_e6=event.step_e6,
                )
            case e.MarginLevelChanged():
                self._insert(
                    t.MARGIN_CALLS,
                    record,
                    place,
                    account=event.account,
                    level=event.level,
                    margin_balance_e6=event.margin_balance_e6,
                    maintenance_e6=event.maintenance_e6,
                )
            case e.ModeChanged():
                mode = event.mode.name.lower()
                self._insert(t.MODE_CHANGES, record, place, account=event.account, mode=mode)
            case e.PriceAccepted():
                self._price(record, event)
            case e.Withdrawn():
                self._output(record, event.output_id, event.account, event)
            case e.DepositReturned():
                self._output(record, event.output_id, e.NO_ACCOUNT, event)

    def _opened(self, record: Record, event: e.AccountOpened) -> None:
        self.inserts[t.ACCOUNTS].append(
            {
                "account": event.account,
                "owner": f"0x{event.owner.hex()}",
                "subaccount": event.subaccount,
                "opened_seq": record.seq,
            }
        )

    def _price(self, record: Record, event: e.PriceAccepted) -> None:
        self.inserts[t.PRICES].append(
            {
                "round": event.round,
                "seq": record.seq,
                "time_ns": record.time_ns,
                "observed_at_ns": event.observed_at_ns,
                "medians": json.dumps([str(m) for m in event.medians]),
            }
        )

    def _deposit(self, record: Record, place: int, event: e.Deposited) -> None:
        self._insert(
            t.DEPOSITS,
            record,
            place,
            inbox_index=event.index,
            account=event.account,
            asset=event.asset,
            amount=event.amount,
        )
        if event.account == INSURANCE and event.asset == 0:
            self._insurance(record, place, "deposit", event.account, event.amount)

    def _fill(self, record: Record, place: int, event: e.Filled) -> None:
        self._insert(
            t.FILLS,
            record,
            place,
            instrument=event.instrument,
            price_e8=event.price_e8,
            lots=event.lots,
            taker=event.taker,
            maker=event.maker,
            maker_order_id=event.maker_order_id,
            fee_e6=event.fee_e6,
            is_liquidation=isinstance(record.command, Liquidate),
        )
        self.fills.append({"order": event.maker_order_id, "delta": event.lots})
        if event.fee_e6:
            self._insurance(record, place, "fee", event.taker, event.fee_e6)

    def _sale(self, record: Record, place: int, event: e.CollateralSold) -> None:
        self._insert(
            t.COLLATERAL_SALES,
            record,
            place,
            asset=event.asset,
            amount=event.amount,
            cash_e6=event.cash_e6,
            seller=event.seller,
            buyer=event.buyer,
            is_liquidation=isinstance(record.command, Liquidate),
        )

    def _insurance(
        self, record: Record, place: int, kind: str, account: int, amount_e6: int
    ) -> None:
        self._insert(
            t.INSURANCE_MOVES, record, place, kind=kind, account=account, amount_e6=amount_e6
        )

    def _output(
        self, record: Record, output_id: int, account: int, event: e.Withdrawn | e.DepositReturned
    ) -> None:
        self.inserts[t.WITHDRAWALS].append(
            {
                "output_id": output_id,
                "seq": record.seq,
                "time_ns": record.time_ns,
                "account": account,
                "owner": f"0x{event.owner.hex()}",
                "asset": event.asset,
                "amount": event.amount,
            }
        )
