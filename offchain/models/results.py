"""What a model answers: the same record for all, line by line."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from offchain.models.errors import ModelError


@dataclass(frozen=True, slots=True)
class Line:
    """One term of the assembly; `amount` carries the sign that the note states."""

    name: str
    amount: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """The account in one scenario. `pnl` is negative for a loss."""

    name: str
    price: float
    volatility: str
    weight: float
    pnl: float
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The margin of one portfolio under one model.

    Attributes
    ----------
    unit : str
        Of every amount: USD, or the coin of an inverse model.
    initial_margin, maintenance_margin : float or None
        Requirements; positive asks for money. None where a model has no such number.
    net_initial, net_maintenance : float or None
        What remains of the account after the requirement; at least 0 is healthy. Derive calls
        these two IM and MM.
    mark_to_market : float
        Value of everything but cash.
    equity : float
        Cash and mark to market.
    worst : str
        What decides the loss.
    """

    unit: str
    initial_margin: float | None
    maintenance_margin: float | None
    net_initial: float | None
    net_maintenance: float | None
    mark_to_market: float
    equity: float
    worst: str
    scenarios: Sequence[ScenarioLine]
    lines: Sequence[Line]
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values.

        Raises
        ------
        ModelError
            A number left the range of floats.
        """
        plain: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "unit",
                "initial_margin",
                "maintenance_margin",
                "net_initial",
                "net_maintenance",
                "mark_to_market",
                "equity",
                "worst",
            )
        }
        plain["lines"] = [
            {"name": x.name, "amount": x.amount + 0.0, "note": x.note}  # no negative zero
            for x in self.lines
        ]
        plain["scenarios"] = [
            {
                "name": s.name,
                "price": s.price,
                "volatility": s.volatility,
                "weight": s.weight,
                "pnl": s.pnl,
                **s.detail,
            }
            for s in self.scenarios
        ]
        plain["detail"] = dict(self.detail)
        check_finite(plain, "result")
        return plain


def check_finite(value: object, path: str) -> None:
    """Refuse a result that holds a number which is none."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ModelError(f"{path}: the numbers of this file leave the range of floats")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            check_finite(inner, f"{path}.{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for place, inner in enumerate(value):
            check_finite(inner, f"{path}[{place}]")


def requirements(
    unit: str,
    initial: float,
    maintenance: float,
    equity: float,
    mark_to_market: float,
    worst: str,
    scenarios: Sequence[ScenarioLine] = (),
    lines: Sequence[Line] = (),
    detail: Mapping[str, Any] | None = None,
) -> Result:
    """Return the result of a model that states requirements; the balances follow from equity."""
    return Result(
        unit=unit,
        initial_margin=initial,
        maintenance_margin=maintenance,
        net_initial=equity - initial,
        net_maintenance=equity - maintenance,
        mark_to_market=mark_to_market,
        equity=equity,
        worst=worst,
        scenarios=scenarios,
        lines=lines,
        detail=detail or {},
    )


@contextmanager
def overflow_refused() -> Iterator[None]:
    """Turn numbers that leave the range of floats into a refusal.

    Arrays that overflow carry on as infinities, and are refused when the result is checked.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield
    except (OverflowError, ZeroDivisionError):
        raise ModelError("result: the numbers of this file leave the range of floats") from None
