"""One account's margin as a person reads it, from what the API says of it."""

from collections.abc import Iterator
from typing import Any

View = dict[str, Any]
PERCENT_E6 = 1e4


def margin_lines(name: str, margin: View, exposure: View, prices: View) -> list[str]:
    """Return the margin of an account line by line.

    Parameters
    ----------
    margin, exposure, prices : dict
        Results of `public/get_account_margin`, `public/get_account_exposure` and
        `public/get_liquidation_prices`.
    """
    lines = [f"margin of {name}: account {margin['account']}, {margin['mode']}"]
    lines += _balance(margin)
    lines += _portfolio(margin) if margin["scan"] else _linear(margin["linear"])
    lines.append(_row("initial margin", margin["initial_margin_e6"]))
    ratio = margin["margin_ratio_e6"]
    if ratio is not None:
        lines.append(f"  {'margin ratio':<34}{int(ratio) / PERCENT_E6:>14,.1f} %")
    lines += _greeks(exposure)
    lines += _liquidation(prices)
    return lines


def _row(name: str, amount_e6: str, note: str = "") -> str:
    return f"  {name:<34}{int(amount_e6) / 1e6:>14,.2f}  {note}".rstrip()


def _balance(margin: View) -> Iterator[str]:
    yield _row("cash", margin["cash_e6"])
    yield _row("unrealised profit", margin["profit_e6"])
    for asset in margin["collateral"]:
        coins, haircut = int(asset["amount_e8"]) / 1e8, int(asset["haircut_e6"]) / PERCENT_E6
        note = f"{coins:,.4f} less {haircut:.2f} %"
        yield _row(f"collateral {asset['symbol']}", asset["credit_e6"], note)
    yield _row("margin balance", margin["margin_balance_e6"])


def _portfolio(margin: View) -> Iterator[str]:
    scan, due, initial = margin["scan"], margin["maintenance"], margin["initial"]
    moves = "; ".join(f"{u['symbol']} {u['move']}" for u in scan["underlyings"])
    yield _row(f"scan risk, {scan['decided_by']}", due["scan_e6"], moves)
    for name in ("roll", "holding", "large_delta", "unwinding_floor"):
        yield _row(name.replace("_", " "), due[f"{name}_e6"])
    factor = int(due["factor_e6"]) / 1e6
    yield _row("maintenance margin", due["margin_e6"], f"{factor:.2f} of the larger of sum, floor")
    for name in ("naked_options", "calm_vega", "doubt"):
        yield _row(f"{name.replace('_', ' ')}, initial only", initial[f"{name}_e6"])


def _linear(linear: View) -> Iterator[str]:
    for part in linear["instruments"]:
        note = f"of {int(part['notional_e6']) / 1e6:,.0f}"
        yield _row(f"{part['symbol']}, maintenance", part["maintenance_e6"], note)
        yield _row(f"{part['symbol']}, initial", part["initial_e6"], note)
    yield _row("maintenance margin", linear["maintenance_margin_e6"])


def _greeks(exposure: View) -> Iterator[str]:
    for of in exposure["underlyings"]:
        if any(p["symbol"].startswith(of["symbol"]) for p in exposure["positions"]):
            delta, gamma = int(of["delta_e8"]) / 1e8, int(of["gamma_e12"]) / 1e12
            vega, theta = int(of["vega_e6"]) / 1e6, int(of["theta_e6"]) / 1e6
            yield (
                f"  {of['symbol']}: delta {delta:,.4f}, gamma {gamma:.6f}, "
                f"vega {vega:,.2f}, theta {theta:,.2f} USD a day"
            )


def _liquidation(prices: View) -> Iterator[str]:
    for of in prices["underlyings"]:
        if of["lower_reason"] == "no_positions":
            continue
        sides = [
            f"{word} {int(of[f'{side}_e8']) / 1e8:,.2f}"
            if of[f"{side}_e8"]
            else f"none {word} ({of[f'{side}_reason'].replace('_', ' ')})"
            for side, word in (("lower", "below"), ("upper", "above"))
        ]
        yield f"  liquidation price of {of['symbol']}: {', '.join(sides)}"
