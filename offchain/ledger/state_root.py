"""The state root: one hash over everything that can change a later verdict.

``stateRoot = keccak256(abi.encode(accountRoot, marketHash, orderHash, nonceHash, totalsHash,
uint64 lastSeq))``. The three hashes are keccak256 of packed big-endian fields:

* ``market``: paramsHash 32 | timeNs u64 | inboxCursor u64 | nextOutputId u64
  | round u64 | observedAt u64 | resumedAt u64 [s] | streak u8 | isSettled u8 | medians
  | hasPending u8 [| round u64 | observedAt u64 | resumedAt u64 [s] | streak u8 | medians]
  | epoch u64 | epochSeq u64 | epochTime u64 | fundingTime u64
  | funding i64 x 512 | count u16 | settled instrument u16 x count, ascending
  | underlyings u16 | funding rate i64 x underlyings | confidence u32 x underlyings
  | assets u16 | haircut x assets | breaker x underlyings;
  ``medians`` is count u16 | i64 x count,
  ``haircut`` is price u64 | time u64 | fast variance u128 | slow variance u128 | haircut u32
  | decayed u64
  ``breaker`` is level u8 | until u64 | count u8 | (part u64 | low u64 | high u64) x count
* ``order``: for every book in order of instrument, every order in priority, bids first:
  orderId u64 | account u32 | instrument u16 | lots i32 | price u64 | reduceOnly u8 | expiresAt u64
* ``nonce``: words u64 | for every account and every word with a bit set, ascending:
  account u32 | word u64 | bitmap 32 bytes; then for every trading key, ascending by owner and key:
  owner 20 bytes | key 20 bytes | expires u64 [s]

Risk arrays, charges, credit curves, the columns of an epoch, open interest and margin call levels
follow from these, and are left out. Modes and collateral are in the account leaves.
Deposits, withdrawals and liquidations since genesis are in the totals.
"""

from collections.abc import Sequence
from dataclasses import astuple
from struct import Struct

from offchain.core.breaker import Breaker
from offchain.core.collateral import HaircutState
from offchain.core.units import PriceE8, RatioE6, TimestampNs
from offchain.engine.market import PendingReport
from offchain.engine.state import State
from offchain.ledger.abi import WORD, unsigned
from offchain.ledger.columns import pack_values
from offchain.ledger.keccak import keccak256

_HEAD = Struct(">QQQQQ")
_STANDING = Struct(">QBB")
_PENDING = Struct(">QQQB")
_EPOCH = Struct(">QQQQ")
_ORDER = Struct(">QIHiQBQ")
_NONCE = Struct(">IQ")
_COUNT = Struct(">H")
_CONFIDENCE = Struct(">I")
_BREAKER = Struct(">BQB")
_BUCKET = Struct(">QQQ")
_HAIRCUT = Struct(">QQ16s16sIQ")


def state_root(state: State, account_root: bytes, params_hash: bytes, totals_hash: bytes) -> bytes:
    """Return the root of a state whose account tree has the given root."""
    words = (
        account_root,
        market_hash(state, params_hash),
        order_hash(state),
        nonce_hash(state),
        totals_hash,
        unsigned(state.last_seq, 64),
    )
    return keccak256(b"".join(words))


def market_hash(state: State, params_hash: bytes) -> bytes:
    """Return the hash of prices, funding, clocks and cursors."""
    market = state.market
    parts = [
        params_hash,
        _HEAD.pack(
            state.time_ns,
            state.inbox_cursor,
            state.next_output_id,
            market.round,
            market.observed_at_ns,
        ),
        _STANDING.pack(*astuple(market.standing)),
        _medians(market.medians),
        b"\x01" if market.pending else b"\x00",
    ]
    if market.pending:
        parts.append(_pending(market.pending))
    settled = sorted(market.settled)
    parts += (
        _EPOCH.pack(market.epoch, market.epoch_seq, market.epoch_time_ns, market.funding_time_ns),
        pack_values(market.funding_e6),
        len(settled).to_bytes(2),
        *[instrument.to_bytes(2) for instrument in settled],
        _COUNT.pack(len(market.funding_rates_e8)),
        pack_values(market.funding_rates_e8),
        *[_CONFIDENCE.pack(confidence) for confidence in market.confidences_e6],
        _COUNT.pack(len(market.haircuts)),
        *[pack_haircut(haircut) for haircut in market.haircuts],
        *[_packed_breaker(breaker) for breaker in market.breakers],
    )
    return keccak256(b"".join(parts))


def _pending(pending: PendingReport) -> bytes:
    """Return the report that waits; whether the grace was over with it decides nothing."""
    standing = pending.standing
    head = _PENDING.pack(
        pending.round, pending.observed_at_ns, standing.resumed_at_s, standing.streak
    )
    return head + _medians(pending.medians)


def order_hash(state: State) -> bytes:
    """Return the hash of all resting orders in priority."""
    parts = [
        _ORDER.pack(
            order.order_id,
            order.account,
            order.instrument,
            order.lots,
            order.price_e8,
            order.reduce_only,
            order.expires_at_ns,
        )
        for instrument in sorted(state.books)
        for order in state.books[instrument].orders()
    ]
    return keccak256(b"".join(parts))


def nonce_hash(state: State) -> bytes:
    """Return the hash of all used nonces and of the trading keys."""
    words = [
        _NONCE.pack(account, word) + state.nonces[account][word].to_bytes(WORD)
        for account in sorted(state.nonces)
        for word in sorted(state.nonces[account])
    ]
    keys = [
        owner + key + state.keys[owner][key].to_bytes(8)
        for owner in sorted(state.keys)
        for key in sorted(state.keys[owner])
    ]
    return keccak256(b"".join([len(words).to_bytes(8), *words, *keys]))


def _packed_breaker(breaker: Breaker) -> bytes:
    """Return the memory of one underlying's circuit breaker as packed bytes."""
    head = _BREAKER.pack(breaker.level, breaker.until_ns, len(breaker.buckets))
    return head + b"".join(_BUCKET.pack(*astuple(bucket)) for bucket in breaker.buckets)


def pack_haircut(haircut: HaircutState) -> bytes:
    """Return the memory of one asset's haircut as packed bytes."""
    return _HAIRCUT.pack(
        haircut.price_e8,
        haircut.time_ns,
        haircut.fast_e18.to_bytes(16),
        haircut.slow_e18.to_bytes(16),
        haircut.haircut_e6,
        haircut.decayed_ns,
    )


def unpack_haircut(packed: bytes) -> HaircutState:
    """Return what `pack_haircut` packed."""
    price, time_ns, fast, slow, haircut, decayed = _HAIRCUT.unpack(packed)
    return HaircutState(
        PriceE8(price),
        TimestampNs(time_ns),
        int.from_bytes(fast),
        int.from_bytes(slow),
        RatioE6(haircut),
        TimestampNs(decayed),
    )


def _medians(values: Sequence[int]) -> bytes:
    return len(values).to_bytes(2) + pack_values(values)
