// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {
    Frames,
    RECORD_FORCED,
    RECORD_LIQUIDATE,
    RECORD_PLACE_ORDER,
    RECORD_WITHDRAW
} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {AccountLeaf, Position} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {HolderEvidence, PastRecord} from "../types/ContentEvidence.sol";
import {INBOX_CANCEL_ALL, INBOX_CLOSE, INBOX_WITHDRAW} from "../types/Inbox.sol";
import {
    CASH_DEFICIT,
    EFFECT_CASH,
    EFFECT_NOOP,
    EFFECT_OUTPUT,
    EFFECT_SHORTFALL,
    EFFECT_TRADE
} from "../types/Trace.sol";
import {EarlierRecord} from "./EarlierRecord.sol";

/// @title HolderJudge
/// @notice Kind 12, what accounts hold: withdrawals, forced operations, reductions, deficits.
/// @dev Evidence is a `HolderEvidence`; `holder` is under the account root before the record, for
/// `DEFICIT` and `FUND` after it.
/// `OWNER`: a forced withdrawal or close, or its NOOP, names the account of `holder`. Faulty when
/// that is not the account of the entry's owner.
/// `KNOWN`: a NOOP says that the owner has no account. Faulty when `holder` is that account.
/// `HELD`: a withdrawal, signed or forced. Faulty when more goes out than the account has.
/// `WHOLE`: a forced withdrawal from `holder`, without positions and debt, that had no order after
/// `quiet`, which is a forced cancel-all that was done, or left no account at the place; and no
/// order was placed since. Faulty when less goes out than was asked for and was there.
/// `REDUCE`: a reduce-only order or a forced close. Faulty when it trades another way than against
/// the position, or more; or when it was a NOOP for want of a position that is there.
/// `DEFICIT`: after a liquidation that covered a deficit, faulty when the account has a position,
/// or cash other than what stayed uncovered.
/// `FUND`: the same for the insurance fund, faulty when its cash is below zero, or above it while
/// something stayed uncovered.
contract HolderJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant OWNER = 0;
    uint8 public constant KNOWN = 1;
    uint8 public constant HELD = 2;
    uint8 public constant WHOLE = 3;
    uint8 public constant REDUCE = 4;
    uint8 public constant DEFICIT = 5;
    uint8 public constant FUND = 6;

    uint16 private constant UNKNOWN_ACCOUNT = 1;
    uint16 private constant NOTHING_TO_CLOSE = 4;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The rule is not about a record like this one.
    error OtherRecord(uint8 rule);

    /// @notice The account opened is not the one that the record is about.
    error OtherAccount(uint32 given, uint32 expected);

    /// @notice The account has positions or debt, or may have orders.
    error NotDecidable();

    /// @notice An order of the account lies between the two records.
    error OrderBetween(uint256 place);

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
        HolderEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= FUND, UnknownRule(rule));
        Openings.requireRecord(header, shown.record);
        bool isAfter = rule == DEFICIT || rule == FUND;
        bytes32 root =
            isAfter ? shown.record.pair.step.accountRoot : shown.record.pair.previous.accountRoot;
        Openings.requireAccount(root, shown.holder);
        if (rule == OWNER) return _isOwnerWrong(shown);
        if (rule == KNOWN) return _isKnown(shown);
        if (rule == HELD) return _isBeyondHeld(shown);
        if (rule == REDUCE) return _isNotReducing(shown);
        if (rule == DEFICIT) return _isDeficitWrong(shown);
        if (rule == FUND) return _isFundWrong(shown);
        _requireQuiet(header, shown);
        return _isNotWhole(shown);
    }

    function _isOwnerWrong(HolderEvidence calldata shown) private pure returns (bool) {
        _require(shown, Frames.typeOf(shown.record.frame) == RECORD_FORCED);
        bytes calldata effects = shown.record.effects;
        uint256 word = effects.wordAt(0);
        uint32 account =
            word.kindOf() == EFFECT_TRADE ? Phrases.closerOf(effects) : word.accountOf();
        _require(shown, account != Effects.NO_ACCOUNT);
        require(shown.holder.account == account, OtherAccount(shown.holder.account, account));
        return !_isOwners(shown);
    }

    function _isKnown(HolderEvidence calldata shown) private pure returns (bool) {
        _require(shown, Frames.typeOf(shown.record.frame) == RECORD_FORCED);
        _require(shown, _isNoop(shown, UNKNOWN_ACCOUNT));
        return _isOwners(shown);
    }

    function _isBeyondHeld(HolderEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        uint8 kind = Frames.typeOf(frame);
        bool isForced = kind == RECORD_FORCED && Commands.entryKindOf(frame) == INBOX_WITHDRAW;
        _require(shown, isForced || kind == RECORD_WITHDRAW);
        uint256 word = shown.record.effects.ofKind(0, EFFECT_OUTPUT);
        _requireHolder(shown, word.accountOf());
        if (shown.holder.leaf.length == 0) return true;
        return word.amountOf() > _held(shown.holder.leaf[0], word.placeOf());
    }

    /// @dev The account of the owner, of which everything it holds is free.
    function _isNotWhole(HolderEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        bool isForced =
            Frames.typeOf(frame) == RECORD_FORCED && Commands.entryKindOf(frame) == INBOX_WITHDRAW;
        _require(shown, isForced && _isOwners(shown) && shown.holder.account != Phrases.INSURANCE);
        AccountLeaf calldata leaf = shown.holder.leaf[0];
        require(leaf.positions.length == 0 && leaf.cashE6 >= 0, NotDecidable());
        uint256 due = _held(leaf, Commands.placeOf(frame));
        uint256 asked = Commands.entryAmountOf(frame);
        if (asked < due) due = asked;
        if (due == 0) return false;
        uint256 word = shown.record.effects.wordAt(0);
        return word.kindOf() != EFFECT_OUTPUT || word.amountOf() != due;
    }

    /// @dev That the account had no order just before the record.
    function _requireQuiet(BatchHeader calldata header, HolderEvidence calldata shown)
        private
        view
    {
        PastRecord calldata quiet = shown.quiet;
        uint32 account = shown.holder.account;
        EarlierRecord.requireBefore(_settlement, header, shown.record.pair.index, quiet);
        if (!_isCancelAll(shown)) {
            _requireAbsent(shown, account);
        }
        Openings.requireGap(quiet.opening.step, shown.record.pair.previous, shown.between);
        for (uint256 i = 0; i < shown.between.length; ++i) {
            bytes calldata frame = shown.between[i];
            bool isOrder =
                Frames.typeOf(frame) == RECORD_PLACE_ORDER && Commands.accountOf(frame) == account;
            require(!isOrder, OrderBetween(i));
        }
    }

    /// @dev A forced cancel-all of the owner that was done: it has no effects, a NOOP has one.
    function _isCancelAll(HolderEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.quiet.frame;
        return Frames.typeOf(frame) == RECORD_FORCED
            && Commands.entryKindOf(frame) == INBOX_CANCEL_ALL
            && shown.quiet.opening.step.effectsHash == keccak256("")
            && Openings.isOwnedBy(
            shown.holder, Commands.ownerOf(frame), Commands.subaccountOf(frame)
        );
    }

    function _requireAbsent(HolderEvidence calldata shown, uint32 account) private pure {
        Openings.requireAccount(shown.quiet.opening.step.accountRoot, shown.absent);
        require(shown.absent.account == account && shown.absent.leaf.length == 0, NotDecidable());
    }

    function _isNotReducing(HolderEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        uint8 kind = Frames.typeOf(frame);
        bool isOrder = kind == RECORD_PLACE_ORDER && Commands.reduceOnlyOf(frame) != 0;
        bool isClose = kind == RECORD_FORCED && Commands.entryKindOf(frame) == INBOX_CLOSE;
        _require(shown, isOrder || isClose);
        bytes calldata effects = shown.record.effects;
        if (isClose && _isNoop(shown, NOTHING_TO_CLOSE)) {
            return _isOwners(shown) && _position(shown, Commands.placeOf(frame)) != 0;
        }
        if (effects.count() == 0) return false;
        // Every trade of the record has the account on one side.
        uint256 word = effects.ofKind(0, EFFECT_TRADE);
        uint32 account = isOrder ? Commands.accountOf(frame) : Phrases.closerOf(effects);
        _requireHolder(shown, account);
        int256 lots = _lotsOf(effects, account);
        int256 held = _position(shown, word.placeOf());
        return held > 0 ? lots >= 0 || lots < -held : lots <= 0 || lots > -held;
    }

    function _lotsOf(bytes calldata effects, uint32 account) private pure returns (int256 lots) {
        uint256 words = effects.count();
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            bool isTrade = word.kindOf() == EFFECT_TRADE && word.accountOf() == account;
            if (isTrade) lots += word.lotsOf();
        }
    }

    function _isDeficitWrong(HolderEvidence calldata shown) private pure returns (bool) {
        uint64 shortfall = _requireDeficit(shown);
        _requireHolder(shown, Commands.accountOf(shown.record.frame));
        if (shown.holder.leaf.length == 0) return true;
        AccountLeaf calldata leaf = shown.holder.leaf[0];
        return leaf.positions.length != 0 || leaf.cashE6 != -int256(uint256(shortfall));
    }

    function _isFundWrong(HolderEvidence calldata shown) private pure returns (bool) {
        uint64 shortfall = _requireDeficit(shown);
        _requireHolder(shown, Phrases.INSURANCE);
        if (shown.holder.leaf.length == 0) return true;
        int64 cashE6 = shown.holder.leaf[0].cashE6;
        return cashE6 < 0 || (shortfall != 0 && cashE6 != 0);
    }

    /// @dev The record covers a deficit, or says that nothing is left to cover it.
    function _requireDeficit(HolderEvidence calldata shown)
        private
        pure
        returns (uint64 shortfall)
    {
        _require(shown, Frames.typeOf(shown.record.frame) == RECORD_LIQUIDATE);
        bytes calldata effects = shown.record.effects;
        uint256 words = effects.count();
        bool isAny = false;
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            uint8 kind = word.kindOf();
            if (kind == EFFECT_SHORTFALL) shortfall = word.amountOf();
            if (kind == EFFECT_CASH && word.placeOf() == CASH_DEFICIT) isAny = true;
        }
        _require(shown, isAny || shortfall != 0);
    }

    /// @dev What can go out at most; cash may be owed.
    function _held(AccountLeaf calldata leaf, uint256 asset) private pure returns (uint256) {
        if (asset != 0) {
            return asset > leaf.collateralE8.length ? 0 : leaf.collateralE8[asset - 1];
        }
        // forge-lint: disable-next-line(unsafe-typecast): it is not negative.
        return leaf.cashE6 > 0 ? uint256(uint64(leaf.cashE6)) : 0;
    }

    function _position(HolderEvidence calldata shown, uint16 instrument)
        private
        pure
        returns (int256)
    {
        if (shown.holder.leaf.length == 0) return 0;
        Position[] calldata positions = shown.holder.leaf[0].positions;
        for (uint256 p = 0; p < positions.length; ++p) {
            if (positions[p].instrument == instrument) return positions[p].lots;
        }
        return 0;
    }

    function _isNoop(HolderEvidence calldata shown, uint16 reason) private pure returns (bool) {
        if (shown.record.effects.count() == 0) return false;
        uint256 word = shown.record.effects.wordAt(0);
        return word.kindOf() == EFFECT_NOOP && word.placeOf() == reason;
    }

    function _isOwners(HolderEvidence calldata shown) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        return
            Openings.isOwnedBy(shown.holder, Commands.ownerOf(frame), Commands.subaccountOf(frame));
    }

    function _requireHolder(HolderEvidence calldata shown, uint32 account) private pure {
        require(shown.holder.account == account, OtherAccount(shown.holder.account, account));
    }

    function _require(HolderEvidence calldata shown, bool isRight) private pure {
        require(isRight, OtherRecord(shown.rule));
    }
}
