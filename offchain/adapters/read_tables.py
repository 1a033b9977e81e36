"""Tables of the read model.

Everything but `batches` is a projection of the log. Rows that come from events have the key
``seq << 20 | place of the event in its record``: unique, in log order, and a cursor for pages.
Money and prices are exact integers in the units of `docs/UNITS.md`; u64 times are decimal text.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

PLACE_BITS = 20
METADATA = MetaData()


def _key(name: str = "id") -> "Column[int]":
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _number(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


ACCOUNTS = Table(
    "accounts",
    METADATA,
    _key("account"),
    Column("owner", String(42), nullable=False, index=True),
    Column("subaccount", Integer, nullable=False),
    _number("opened_seq"),
)
DEPOSITS = Table(
    "deposits",
    METADATA,
    _key(),
    _number("inbox_index"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("asset", Integer, nullable=False),
    _number("amount"),
    _number("seq"),
    _number("time_ns"),
)
ORDERS = Table(
    "orders",
    METADATA,
    _key("order_id"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("instrument", Integer, nullable=False),
    _number("lots"),
    _number("lots_left"),
    _number("limit_price_e8"),
    Column("time_in_force", String(24), nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("expires_at_ns", String(20), nullable=False),
    Column("status", String(8), nullable=False),
    Column("closing", String(16)),
    _number("time_ns"),
)
FILLS = Table(
    "fills",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("instrument", Integer, nullable=False, index=True),
    _number("price_e8"),
    _number("lots"),
    Column("taker", BigInteger, nullable=False, index=True),
    Column("maker", BigInteger, nullable=False, index=True),
    _number("maker_order_id"),
    _number("fee_e6"),
    Column("is_liquidation", Boolean, nullable=False),
)
LIQUIDATIONS = Table(
    "liquidations",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("tier", String(8), nullable=False),
    _number("margin_balance_e6"),
    _number("maintenance_e6"),
    Column("ratio_e6", String(24), nullable=False),
    Column("legs", Text, nullable=False),
    _number("penalty_e6"),
    _number("covered_e6"),
    _number("shortfall_e6"),
)
FUNDING = Table(
    "funding",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("instrument", Integer, nullable=False, index=True),
    _number("rate_e8"),
    _number("step_e6"),
)
INSURANCE_MOVES = Table(
    "insurance_moves",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("kind", String(8), nullable=False),
    _number("account"),
    _number("amount_e6"),
)
WITHDRAWALS = Table(
    "withdrawals",
    METADATA,
    _key("output_id"),
    _number("seq"),
    _number("time_ns"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("owner", String(42), nullable=False),
    Column("asset", Integer, nullable=False),
    _number("amount"),
)
MARGIN_CALLS = Table(
    "margin_calls",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("level", Integer, nullable=False),
    _number("margin_balance_e6"),
    _number("maintenance_e6"),
)
PRICES = Table(
    "prices",
    METADATA,
    _key("round"),
    _number("seq"),
    _number("time_ns"),
    _number("observed_at_ns"),
    Column("medians", Text, nullable=False),
)
MODE_CHANGES = Table(
    "mode_changes",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("account", BigInteger, nullable=False, index=True),
    Column("mode", String(16), nullable=False),
)
COLLATERAL_SALES = Table(
    "collateral_sales",
    METADATA,
    _key(),
    _number("seq"),
    _number("time_ns"),
    Column("asset", Integer, nullable=False),
    _number("amount"),
    _number("cash_e6"),
    Column("seller", BigInteger, nullable=False, index=True),
    _number("buyer"),
    Column("is_liquidation", Boolean, nullable=False),
)
META = Table("meta", METADATA, _key(), _number("last_seq"), Column("tip", String(64)))
BATCHES = Table(
    "batches",
    METADATA,
    _key("batch_no"),
    Column("batch_hash", String(66), nullable=False),
    Column("state_root", String(66), nullable=False),
    Column("status", String(12), nullable=False),
    Column("header", Text, nullable=False),
)
Index("fills_by_seq", FILLS.c.seq)

PROJECTED = (
    ACCOUNTS,
    DEPOSITS,
    ORDERS,
    FILLS,
    LIQUIDATIONS,
    FUNDING,
    INSURANCE_MOVES,
    WITHDRAWALS,
    MARGIN_CALLS,
    PRICES,
    MODE_CHANGES,
    COLLATERAL_SALES,
    META,
)
"""Derived from the log alone: dropped and rebuilt together."""
