"""Numbers of a portfolio file: JSON numbers or decimal strings, finite and of sane size."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

MAX_SIZE = 1e15
"""Largest number in a file: products of two stay exact to more digits than any margin has."""
MAX_NAME = 64
_DECIMAL = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)


def read_number(value: object) -> float:
    """Return a JSON number or a decimal string as a float.

    Raises
    ------
    ValueError
        A truth value, another type, no plain decimal, or beyond 1e15 in size.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError("is no plain decimal number")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number or a decimal string")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("is beyond 1e15") from None
    if not abs(number) <= MAX_SIZE:  # also true of NaN
        raise ValueError("is not finite, or beyond 1e15")
    return number


Number = Annotated[float, BeforeValidator(read_number)]
NonNegative = Annotated[float, Field(ge=0.0), BeforeValidator(read_number)]
Positive = Annotated[float, Field(gt=0.0), BeforeValidator(read_number)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(read_number)]
Name = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_NAME)]
