// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {
    Frames,
    RECORD_CANCEL_ORDER,
    RECORD_FORCED,
    RECORD_LIQUIDATE,
    RECORD_PLACE_ORDER,
    RECORD_SETTLE_EXPIRY
} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {BatchHeader} from "../types/Batch.sol";
import {Fill, HistoryEvidence} from "../types/ContentEvidence.sol";
import {INBOX_CANCEL_ALL} from "../types/Inbox.sol";
import {EFFECT_TRADE} from "../types/Trace.sol";
import {EarlierRecord} from "./EarlierRecord.sol";

/// @title HistoryJudge
/// @notice Kind 12, two records that contradict each other; the later is of the disputed batch.
/// @dev Evidence is a `HistoryEvidence`.
/// `NONCE`: both are intents. Faulty when account and nonce are the same.
/// `SETTLED`: the earlier settles an instrument. Faulty when the later settles it again, or is an
/// order in it.
/// `CANCELLED`: the earlier cancels an order. Faulty when the later cancels it again, or the word at
/// `place` fills it.
/// `CLOSED`: the earlier is a forced cancel-all that was done, of the owner of `holder`, or a
/// liquidation; either takes all orders of an account from the book. Faulty when the word at `place`
/// of the later fills an order of that account that was placed before.
/// `OVERFILL`: the earlier places the order that the word at `place` fills. Faulty when `fills` and
/// that word together trade more than its lots.
contract HistoryJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant NONCE = 0;
    uint8 public constant SETTLED = 1;
    uint8 public constant CANCELLED = 2;
    uint8 public constant CLOSED = 3;
    uint8 public constant OVERFILL = 4;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The rule is not about records like these.
    error OtherRecord(uint8 rule);

    /// @notice The account opened is not the one that the word names.
    error OtherAccount(uint32 given, uint32 expected);

    /// @notice The word fills another order.
    error OtherOrder(uint64 given, uint64 expected);

    /// @notice Fills must ascend strictly by record, then by place.
    error FillsOutOfOrder(uint256 place);

    ISettlement private immutable _settlement;

    constructor(ISettlement settlement) {
        _settlement = settlement;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        HistoryEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= OVERFILL, UnknownRule(rule));
        Openings.requireRecord(header, shown.later);
        uint32 index = shown.later.pair.index;
        EarlierRecord.requireBefore(_settlement, header, index, shown.earlier);
        if (rule == NONCE) return _isNonceUsed(shown);
        if (rule == SETTLED) return _isSettled(shown);
        if (rule == CANCELLED) return _isCancelled(shown);
        if (rule == CLOSED) return _isClosed(shown);
        return _isOverfilled(header, shown);
    }

    function _isNonceUsed(HistoryEvidence calldata shown) private pure returns (bool) {
        bytes calldata one = shown.earlier.frame;
        bytes calldata other = shown.later.frame;
        return Commands.nonceOf(one) == Commands.nonceOf(other)
            && Commands.accountOf(one) == Commands.accountOf(other);
    }

    function _isSettled(HistoryEvidence calldata shown) private pure returns (bool) {
        bytes calldata later = shown.later.frame;
        uint8 kind = Frames.typeOf(later);
        _require(shown, Frames.typeOf(shown.earlier.frame) == RECORD_SETTLE_EXPIRY);
        uint16 settled = Commands.instrumentOfExpiry(shown.earlier.frame);
        if (kind == RECORD_SETTLE_EXPIRY) return Commands.instrumentOfExpiry(later) == settled;
        _require(shown, kind == RECORD_PLACE_ORDER);
        return Commands.instrumentOfOrder(later) == settled;
    }

    function _isCancelled(HistoryEvidence calldata shown) private pure returns (bool) {
        bytes calldata later = shown.later.frame;
        _require(shown, Frames.typeOf(shown.earlier.frame) == RECORD_CANCEL_ORDER);
        uint64 orderId = Commands.orderOfCancel(shown.earlier.frame);
        if (Frames.typeOf(later) == RECORD_CANCEL_ORDER) {
            return Commands.orderOfCancel(later) == orderId;
        }
        uint256 word = shown.later.effects.ofKind(shown.place, EFFECT_TRADE);
        return word.orderOf() == orderId;
    }

    function _isClosed(HistoryEvidence calldata shown) private pure returns (bool) {
        bytes calldata earlier = shown.earlier.frame;
        uint256 word = shown.later.effects.ofKind(shown.place, EFFECT_TRADE);
        uint32 maker = word.accountOf();
        if (Frames.typeOf(earlier) == RECORD_LIQUIDATE) {
            if (Commands.accountOf(earlier) != maker) return false;
        } else {
            bool isCancelAll = Frames.typeOf(earlier) == RECORD_FORCED
                && Commands.entryKindOf(earlier) == INBOX_CANCEL_ALL
                && shown.earlier.opening.step.effectsHash == keccak256("");
            _require(shown, isCancelAll);
            require(shown.holder.account == maker, OtherAccount(shown.holder.account, maker));
            Openings.requireAccount(shown.later.pair.previous.accountRoot, shown.holder);
            address owner = Commands.ownerOf(earlier);
            if (!Openings.isOwnedBy(shown.holder, owner, Commands.subaccountOf(earlier))) {
                return false;
            }
        }
        return word.orderOf() != 0 && word.orderOf() < Frames.seqOf(earlier);
    }

    function _isOverfilled(BatchHeader calldata header, HistoryEvidence calldata shown)
        private
        view
        returns (bool)
    {
        bytes calldata order = shown.earlier.frame;
        _require(shown, Frames.typeOf(order) == RECORD_PLACE_ORDER);
        uint64 orderId = Frames.seqOf(order);
        uint256 filled = _sizeOf(shown.later.effects, shown.place, orderId);
        uint256 earliest = 0;
        for (uint256 i = 0; i < shown.fills.length; ++i) {
            Fill calldata fill = shown.fills[i];
            // A fill of the same record stands in an earlier word.
            uint256 moment = _momentOf(fill.record.frame, fill.place);
            require(moment >= earliest, FillsOutOfOrder(i));
            earliest = moment + 1;
            _requireFill(header, shown, fill);
            filled += _sizeOf(fill.effects, fill.place, orderId);
        }
        require(
            earliest <= _momentOf(shown.later.frame, shown.place),
            FillsOutOfOrder(shown.fills.length)
        );
        return filled > Rounding.magnitude(Commands.lotsOfOrder(order));
    }

    /// @dev The record of a fill is an earlier one, or the disputed one itself.
    function _requireFill(
        BatchHeader calldata header,
        HistoryEvidence calldata shown,
        Fill calldata fill
    ) private view {
        uint32 index = shown.later.pair.index;
        EarlierRecord.requireBefore(_settlement, header, index + 1, fill.record);
        Effects.requireOf(fill.record.opening.step, fill.effects);
    }

    /// @dev Orders fills by record and, within one, by place.
    function _momentOf(bytes calldata frame, uint32 place) private pure returns (uint256) {
        return uint256(Frames.seqOf(frame)) << 32 | place;
    }

    function _sizeOf(bytes calldata effects, uint32 place, uint64 orderId)
        private
        pure
        returns (uint256)
    {
        uint256 word = effects.ofKind(place, EFFECT_TRADE);
        require(word.orderOf() == orderId, OtherOrder(word.orderOf(), orderId));
        return Rounding.magnitude(word.lotsOf());
    }

    function _require(HistoryEvidence calldata shown, bool isRight) private pure {
        require(isRight, OtherRecord(shown.rule));
    }
}
