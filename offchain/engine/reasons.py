"""Why a command is refused: numbers are stable and shared with the API and the documents."""

from dataclasses import dataclass
from enum import IntEnum


class Reason(IntEnum):
    """11xxx order, 12xxx margin, 13xxx limits, 14xxx intent, 15xxx prices, 16xxx sequence."""

    UNKNOWN_INSTRUMENT = 11001
    UNKNOWN_ACCOUNT = 11002
    UNKNOWN_ORDER = 11003
    BAD_PRICE = 11004
    BAD_SIZE = 11005
    WOULD_CROSS = 11006
    NOTHING_TO_REDUCE = 11007
    INSTRUMENT_EXPIRED = 11008
    NOT_EXPIRED = 11009
    INSUFFICIENT_MARGIN = 12001
    NOT_LIQUIDATABLE = 12002
    NOT_WITHDRAWABLE = 12003
    NOTHING_TO_LIQUIDATE = 12004
    UNKNOWN_MODE = 12005
    SAME_MODE = 12006
    MODE_FORBIDS = 12007
    OPTION_NEEDS_PORTFOLIO = 12008
    BELOW_MINIMUM = 12009
    BACKSTOP_FULL = 12010
    TOO_MANY_POSITIONS = 13001
    TOO_MANY_ORDERS = 13002
    POSITION_LIMIT = 13003
    NONCE_USED = 14001
    INTENT_EXPIRED = 14002
    RESERVED_ACCOUNT = 14003
    NO_PRICES = 15001
    STALE_PRICES = 15002
    BAD_REPORT = 15003
    QUORUM_MISSING = 15004
    OLD_REPORT = 15005
    RISK_RANGE = 15006
    AFTER_OUTAGE = 15007
    RISK_HALTED = 15008
    TRADING_PAUSED = 15009
    NOT_CONFIGURED = 16001
    ALREADY_CONFIGURED = 16002
    TIME_WENT_BACK = 16003
    INBOX_GAP = 16004
    BAD_ASSET = 16005
    BAD_AMOUNT = 16006
    BAD_ENTRY = 16007
    BAD_TERMS = 16008
    SAME_PARAMETERS = 16009
    UNDERLYINGS_CHANGED = 16010
    FEEDS_CHANGED = 16011
    OWNERS_CHANGED = 16012
    INSTRUMENT_CHANGED = 16013
    COLLATERAL_CHANGED = 16014


@dataclass(frozen=True, slots=True)
class Rejected:
    """An answer, not an error: the command changes nothing, and this is why.

    `numbers` are the figures behind the reason (requirement, balance, limit, ..) by name.
    """

    reason: Reason
    numbers: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        """Return the reason and its numbers in one line."""
        figures = ", ".join(f"{name}={value}" for name, value in self.numbers)
        return f"{self.reason.name} ({figures})" if figures else self.reason.name
