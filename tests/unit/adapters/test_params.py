"""Parameters are strict: exact integers, exact bytes, nothing unknown."""

import pytest
from pydantic import ValidationError

from offchain.adapters.params import AccountParams, MarginParams, OrderParams, OwnerParams

ORDER = {
    "account": "3",
    "instrument": "0",
    "lots": "-5",
    "limit_price_e8": "12000000000000",
    "time_in_force": "post_only",
    "nonce": str(2**64 - 1),
    "expires_at_ns": "1760054460000000000",
    "signature": "0x" + "ab" * 65,
}


def test_an_order_is_read_exactly() -> None:
    order = OrderParams.model_validate(ORDER)
    assert (order.lots, order.nonce, order.reduce_only) == (-5, 2**64 - 1, False)
    assert order.signature == b"\xab" * 65


@pytest.mark.parametrize("account", ["3", 3, "4294967295", 0])
def test_integers_come_as_strings_or_small_numbers(account: object) -> None:
    assert AccountParams.model_validate({"account": account}).account == int(str(account))


@pytest.mark.parametrize(
    "account",
    [
        *(None, True, 1.0, [], {}, -1, 2**32),
        *("1.0", "1e3", "0x1", " 1", "1 ", "01", "+1", "-0", "", "-1", "NaN"),
        *(str(2**32), "9" * 40, "\u0663"),
    ],
)
def test_anything_else_is_no_account(account: object) -> None:
    with pytest.raises(ValidationError):
        AccountParams.model_validate({"account": account})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lots", str(2**31)),
        ("instrument", "65536"),
        ("limit_price_e8", "-1"),
        ("nonce", str(2**64)),
        ("time_in_force", "fill_or_kill"),
        ("time_in_force", 0),
        ("reduce_only", "true"),
        ("reduce_only", 1),
        ("signature", "0x" + "ab" * 64),
        ("signature", "ab" * 65),
        ("signature", "0x" + "zz" * 65),
        ("unknown", "1"),
    ],
)
def test_a_wrong_member_of_an_order_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        OrderParams.model_validate({**ORDER, field: value})


@pytest.mark.parametrize("field", [f for f in ORDER if f != "reduce_only"])
def test_a_missing_member_of_an_order_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        OrderParams.model_validate({k: v for k, v in ORDER.items() if k != field})


def test_a_portfolio_is_bounded() -> None:
    position = {"instrument": "0", "lots": "1"}
    MarginParams.model_validate({"positions": [position] * 32})
    with pytest.raises(ValidationError):
        MarginParams.model_validate({"positions": [position] * 33})
    with pytest.raises(ValidationError):
        MarginParams.model_validate({"positions": [{**position, "lots": str(2**24)}]})
    with pytest.raises(ValidationError):
        MarginParams.model_validate({"cash_e6": str(2**56)})


def test_an_owner_is_twenty_bytes() -> None:
    assert OwnerParams.model_validate({"owner": "0x" + "AB" * 20}).owner == b"\xab" * 20
    with pytest.raises(ValidationError):
        OwnerParams.model_validate({"owner": "0x" + "ab" * 19})
