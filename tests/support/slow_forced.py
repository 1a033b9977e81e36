"""What an owner forces through the inbox, as the protocol tells it, on the slow model."""

import copy
from typing import TYPE_CHECKING

from offchain.engine import messages as m
from tests.support.slow_model import BACKSTOP, FUND, ONE, ceil, need

if TYPE_CHECKING:
    from tests.support.slow_trading import SlowModel

Kind = m.EntryKind
UNKNOWN, NOTHING_FREE, IN_DOUBT, NOTHING_HELD, NO_ROOM, NOBODY, NOT_LISTED = range(1, 8)


def force(model: "SlowModel", command: m.Forced, now: int) -> None:
    """Consume the next entry; `model.noop` says why it came to nothing, 0 when it was done."""
    need(holds=command.index == model.entries + 1 and command.kind != Kind.DEPOSIT)
    model.entries += 1
    model.noop = 0
    if command.kind == Kind.GRANT:
        model.keys[command.owner, command.key] = min(command.amount, 2**64 - 1)
        for (owner, key), until in list(model.keys.items()):
            if owner == command.owner and until * 10**9 <= now:
                del model.keys[owner, key]
    elif command.kind == Kind.REVOKE:
        for owner, key in list(model.keys):
            if owner == command.owner and command.key in (key, bytes(20)):
                del model.keys[owner, key]
    else:
        model.noop = _answer(model, command, now)


def _answer(model: "SlowModel", command: m.Forced, now: int) -> int:
    assets = range(len(model.rules.collateral) + 1)
    if command.kind == Kind.WITHDRAWAL and command.place not in assets:
        return NOT_LISTED
    if command.kind == Kind.CLOSE and command.place not in model.listed:
        return NOT_LISTED
    owned = [(a.owner, a.subaccount) for a in model.accounts]
    if (command.owner, command.subaccount) not in owned:
        return UNKNOWN
    account = owned.index((command.owner, command.subaccount))
    if command.kind == Kind.CANCEL_ALL:
        model.orders = [o for o in model.orders if o.account != account]
        return 0
    if command.kind == Kind.WITHDRAWAL:
        return _withdraw(model, command, account, now)
    return _close(model, command, account, now)


def _in_doubt(model: "SlowModel", now: int) -> bool:
    is_old = now - model.observed_at > model.rules.oracle.heartbeat_ns
    return model.prices is None or is_old or model.pending is not None


def _withdraw(model: "SlowModel", command: m.Forced, account: int, now: int) -> int:
    owned, asset = model.accounts[account], command.place
    has_orders = any(o.account == account for o in model.orders)
    if account == FUND:
        most = 0
    elif not owned.positions and not has_orders and owned.cash >= 0:
        most = owned.coins[asset - 1] if asset else owned.cash
    elif _in_doubt(model, now):
        return IN_DOUBT
    else:
        most = model.withdrawable(account, asset)
    amount = min(command.amount, most)
    if amount <= 0:
        return NOTHING_FREE
    model.outputs += 1
    if asset:
        owned.coins[asset - 1] -= amount
    else:
        owned.cash -= amount
    return 0


def _close(model: "SlowModel", command: m.Forced, account: int, now: int) -> int:
    held = model.accounts[account].positions.get(command.place, [0, 0])[0]
    if held == 0:
        return NOTHING_HELD
    if _in_doubt(model, now):
        return IN_DOUBT
    size = min(abs(held), command.amount or abs(held))
    for by_book in (True, False):
        after = copy.deepcopy(model)
        lots = -size if held > 0 else size
        if _reduce(model, after, (account, command.place, lots), now, by_book=by_book):
            model.__dict__.update(after.__dict__)
            return 0
    return NOBODY


def _reduce(
    before: "SlowModel", after: "SlowModel", leg: tuple[int, int, int], now: int, *, by_book: bool
) -> bool:
    """Close on the model after; tell whether somebody took something and INV-7 holds."""
    account, i, lots = leg
    terms, known, left, penalty = after.rules.liquidation, after.known(), lots, 0
    if by_book and after.is_open(i, now):
        tick = after.tick(i)
        band = known.marks[i] * terms.band_mark_e6 // ONE
        band += after.medians[i >> 8] * terms.band_index_e6 // ONE
        edge = ceil(known.marks[i] + band, tick) if lots > 0 else (known.marks[i] - band) // tick
        limit = max(tick, edge * tick)
        left, _ = after.hit(account, i, lots, limit, now, after.rules.taker_fee_e6)
    is_taken = left != lots
    if left and account != BACKSTOP and after.hand_over(account, {i: left}):
        is_taken = True
        penalty = ceil(abs(left) * known.values[i] * terms.fee_e6, ONE)
    if not is_taken:
        return False
    had, due, now_due = before.balance(account), before.due(account), after.due(account)
    whole = max(0, min(penalty, after.balance(account)))
    behind = had * (due - now_due) // (2 * due) if due else 0
    for fee in (whole, max(0, min(whole, behind))):
        trial = copy.deepcopy(after)
        trial.contribute(account, fee)
        if before.may_become(trial, account):
            after.contribute(account, fee)
            return True
    return False
