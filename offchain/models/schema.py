"""The portfolio file, as strict records; docs/MARGIN_FILE.md explains every key.

Human units: USD, contracts (one contract is one unit of the underlying), years of 31,536,000
seconds, volatility 0.5 = 50 %. Unknown keys are refused, numbers may be decimal strings.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from offchain.models.errors import MarginFileError
from offchain.models.quantities import (
    Fraction,
    Name,
    NonNegative,
    Number,
    Positive,
    read_number,
)

YEAR_SECONDS = 31_536_000.0
MAX_POSITIONS = 2_000
MAX_UNDERLYINGS = 64
MAX_EXPIRIES = 64
MAX_COLLATERAL = 256
MAX_CHARGES = 64
SPAN_SCENARIOS = 16

Kind = Literal["spot", "perpetual", "future", "call", "put"]


def read_time(value: object) -> float:
    """Return Unix seconds from a number of seconds or an ISO 8601 text with its zone."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("is neither Unix seconds nor an ISO 8601 time") from None
        if moment.tzinfo is None:
            raise ValueError("names no time zone; end it with Z")
        return moment.astimezone(UTC).timestamp()
    return read_number(value)


Time = Annotated[float, Field(ge=0.0, le=1e11), BeforeValidator(read_time)]


class Strict(BaseModel):
    """A record that refuses unknown keys and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Svi(Strict):
    """Raw stochastic-volatility-inspired total variance (Gatheral 2004) with its own F and tau."""

    a: Number
    b: Number
    rho: Number
    m: Number
    sigma: Number
    forward: Positive
    tau: Positive


class ExpiryConfidence(Strict):
    """How far the oracle trusts the feeds of an expiry."""

    forward: Fraction = 1.0
    rate: Fraction = 1.0
    volatility: Fraction = 1.0


class Expiry(Strict):
    """One date on which futures and options end. Time is given in exactly one way."""

    seconds: NonNegative | None = None
    years: NonNegative | None = None
    time: Time | None = None
    forward: NonNegative | None = None
    forward_fixed: NonNegative | None = None
    forward_variable: NonNegative | None = None
    carry: Number | None = None
    dividend_yield: Number | None = None
    rate: Number | None = None
    discount: Positive | None = None
    volatility: NonNegative | None = None
    svi: Svi | None = None
    confidence: ExpiryConfidence = ExpiryConfidence()

    @model_validator(mode="after")
    def _relations(self) -> Self:
        _exactly_one(self, "seconds", "years", "time")
        if (self.forward_fixed is None) != (self.forward_variable is None):
            raise ValueError("forward_fixed and forward_variable come together")
        _at_most_one(self, "volatility", "svi")
        _at_most_one(self, "rate", "discount")
        _at_most_one(self, "carry", "dividend_yield", "forward", "forward_fixed")
        return self


class Perpetual(Strict):
    """The perpetual of an underlying; without it, its price is spot."""

    price: Positive
    confidence: Fraction = 1.0


class Underlying(Strict):
    """Market data of one underlying, and parameters that hold for it alone."""

    spot: Positive
    confidence: Fraction = 1.0
    perpetual: Perpetual | None = None
    expiries: Annotated[dict[Name, Expiry], Field(max_length=MAX_EXPIRIES)] = {}
    open_interest: NonNegative | None = None
    parameters: dict[Name, Any] = {}


class Position(Strict):
    """A signed number of contracts; long is positive."""

    kind: Kind
    underlying: Name
    amount: Number
    name: Name | None = None
    expiry: Name | None = None
    strike: NonNegative | None = None
    volatility: NonNegative | None = None
    entry_price: NonNegative | None = None
    unrealised_pnl: Number | None = None
    funding: Number | None = None
    leverage: Positive | None = None
    price: NonNegative | None = None
    delta: Number | None = None
    risk_array: (
        Annotated[list[Number], Field(min_length=SPAN_SCENARIOS, max_length=SPAN_SCENARIOS)] | None
    ) = None

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.risk_array is not None:
            return self
        is_option = self.kind in {"call", "put"}
        if (self.strike is not None) != is_option:
            raise ValueError("options, and only they, have a strike")
        if (self.expiry is not None) != (is_option or self.kind == "future"):
            raise ValueError("options and futures, and only they, have an expiry")
        if self.volatility is not None and not is_option:
            raise ValueError("only options have a volatility")
        _at_most_one(self, "unrealised_pnl", "entry_price")
        return self


class Collateral(Strict):
    """An asset that is held, not traded: amount, price and a pair of haircuts."""

    asset: Name
    amount: NonNegative
    price: NonNegative | None = None
    haircut_mm: NonNegative = 0.0
    haircut_im: NonNegative = 0.0
    confidence: Fraction = 1.0
    risk_cancelling: StrictBool = False
    underlying: Name | None = None

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.price is None and self.underlying is None:
            raise ValueError("needs a price, or an underlying whose spot it takes")
        return self


class Auction(Strict):
    """The state of a Dutch auction, for the model ``derive-auction``."""

    mark_to_market: Number
    maintenance_margin: Number
    elapsed_seconds: NonNegative = 0.0
    reserved_cash: Number = 0.0
    bid_share: Fraction = 1.0


class PortfolioFile(Strict):
    """Everything that a model may need to know about one account at one moment."""

    schema_name: Annotated[Literal["plimsoll.portfolio/1"], Field(alias="schema")] = (
        "plimsoll.portfolio/1"
    )
    comment: Annotated[str, Field(max_length=2_000)] | None = None
    model: Name | None = None
    parameter_set: Name | None = None
    parameters: dict[Name, Any] = {}
    valuation_time: Time | None = None
    cash: Number = 0.0
    stable_price: Positive = 1.0
    underlyings: Annotated[dict[Name, Underlying], Field(max_length=MAX_UNDERLYINGS)] = {}
    positions: Annotated[list[Position], Field(max_length=MAX_POSITIONS)] = []
    collateral: Annotated[list[Collateral], Field(max_length=MAX_COLLATERAL)] = []
    charges: Annotated[dict[Name, Number], Field(max_length=MAX_CHARGES)] = {}
    auction: Auction | None = None


def _given(record: BaseModel, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(record, name) is not None]


def _exactly_one(record: BaseModel, *names: str) -> None:
    if len(_given(record, names)) != 1:
        raise ValueError(f"exactly one of {', '.join(names)} must be given")


def _at_most_one(record: BaseModel, *names: str) -> None:
    if len(_given(record, names)) > 1:
        raise ValueError(f"at most one of {', '.join(names)} may be given")


def read_portfolio(document: object) -> PortfolioFile:
    """Return the file that a parsed JSON document describes.

    Raises
    ------
    MarginFileError
        The first rule that it breaks, with its path.
    """
    if not isinstance(document, Mapping):
        raise MarginFileError("", "must be a JSON object")
    try:
        return PortfolioFile.model_validate(document)
    except ValidationError as fault:
        raise first_fault(fault) from None


def first_fault(fault: ValidationError, prefix: str = "") -> MarginFileError:
    """Return the first error of a validation as ours, with its path."""
    first = fault.errors(include_url=False, include_context=False)[0]
    path = prefix
    for step in first["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step != "function-before[read_number()":
            path += f".{step}" if path else str(step)
    return MarginFileError(path, first["msg"].removeprefix("Value error, "))


def seconds_of(expiry: Expiry, valuation_time: float | None, path: str) -> float:
    """Return the seconds to an expiry; never negative.

    Raises
    ------
    MarginFileError
        A time on the calendar without a valuation time.
    """
    if expiry.seconds is not None:
        return expiry.seconds
    if expiry.years is not None:
        return expiry.years * YEAR_SECONDS
    assert expiry.time is not None
    if valuation_time is None:
        raise MarginFileError("valuation_time", f"is needed, because {path} is a calendar time")
    return max(0.0, expiry.time - valuation_time)


def rate_of(expiry: Expiry, tau: float) -> float:
    """Return the continuous rate, from the discount factor where that is given."""
    if expiry.discount is not None:
        return -math.log(expiry.discount) / tau if tau > 0 else 0.0
    return expiry.rate if expiry.rate is not None else 0.0
