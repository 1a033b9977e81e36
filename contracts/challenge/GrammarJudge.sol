// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {
    Frames,
    RECORD_ADOPT,
    RECORD_CONVERT,
    RECORD_DEPOSIT,
    RECORD_FORCED,
    RECORD_GENESIS,
    RECORD_LIQUIDATE,
    RECORD_PLACE_ORDER,
    RECORD_SETTLE_EXPIRY,
    RECORD_SET_MODE,
    RECORD_WITHDRAW
} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {MODE_PORTFOLIO} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {RecordOpening} from "../types/ContentEvidence.sol";
import {
    INBOX_CANCEL_ALL,
    INBOX_CLOSE,
    INBOX_GRANT_KEY,
    INBOX_REVOKE_KEY,
    INBOX_WITHDRAW
} from "../types/Inbox.sol";
import {
    CASH_TRADING_FEE,
    EFFECT_ASSETS,
    EFFECT_MODE,
    EFFECT_NOOP,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SETTLE,
    EFFECT_TRADE
} from "../types/Trace.sol";
import {MAX_COLLATERALS} from "../types/Units.sol";

/// @title GrammarJudge
/// @notice Kind 12, first part: the effects of a record are not of the shape that its command has.
/// @dev Evidence is a `RecordOpening`. All that the record alone decides: which words stand in which
/// order, whose they are, that they are zero-sum, within what was ordered, and numbered. Each rule
/// is beside the function that checks it.
contract GrammarJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint256 private constant MAX_ACCOUNTS = 1 << 20;
    uint32 private constant INSURANCE = Phrases.INSURANCE;
    uint32 private constant BACKSTOP = Phrases.BACKSTOP;

    uint8 private constant LAST_TIME_IN_FORCE = 2;
    uint8 private constant POST_ONLY = 2;

    // Reasons of a NOOP, docs/PROTOCOL.md, section 3.
    uint16 private constant UNKNOWN_ACCOUNT = 1;
    uint16 private constant NOTHING_FREE = 2;
    uint16 private constant PRICES_IN_DOUBT = 3;
    uint16 private constant NOTHING_TO_CLOSE = 4;
    uint16 private constant NO_ROOM = 5;
    uint16 private constant NOBODY_TOOK = 6;
    uint16 private constant NOT_LISTED = 7;

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        pure
        returns (bool)
    {
        RecordOpening calldata record;
        assembly ("memory-safe") {
            record := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, record);
        bytes calldata effects = record.effects;
        bool hasPrices = record.pair.previous.epochHash != 0;
        return !_areWords(effects, record.pair.previous.outputs, hasPrices)
            || !_isPhrase(Frames.typeOf(record.frame), record.frame, effects);
    }

    /// @dev Whole words, each canonical; outputs numbered on from the step before; nothing trades or
    /// settles before there is a price.
    function _areWords(bytes calldata effects, uint64 outputs, bool hasPrices)
        private
        pure
        returns (bool)
    {
        if (effects.length % Effects.WORD_BYTES != 0) return false;
        uint256 next = outputs;
        for (uint256 i = 0; i < effects.count(); ++i) {
            uint256 word = effects.wordAt(i);
            uint8 kind = word.kindOf();
            if (!word.isCanonical()) return false;
            if (kind == EFFECT_OUTPUT && word.outputOf() != ++next) return false;
            if (!hasPrices && (kind == EFFECT_TRADE || kind == EFFECT_SETTLE)) return false;
        }
        return true;
    }

    /// @dev CancelOrder, PriceReport, FundingTick and the keys have no effects.
    function _isPhrase(uint8 kind, bytes calldata frame, bytes calldata effects)
        private
        pure
        returns (bool)
    {
        if (Commands.isIntent(kind) && !_isIntent(frame)) return false;
        if (kind == RECORD_GENESIS) return _isGenesis(effects);
        if (kind == RECORD_DEPOSIT) return _isDeposit(frame, effects);
        if (kind == RECORD_PLACE_ORDER) return _isOrder(frame, effects);
        if (kind == RECORD_LIQUIDATE) return _isLiquidation(frame, effects);
        if (kind == RECORD_WITHDRAW) return _isWithdrawal(frame, effects);
        if (kind == RECORD_SETTLE_EXPIRY) return _isSettlement(frame, effects);
        if (kind == RECORD_SET_MODE) return _isMode(frame, effects);
        if (kind == RECORD_CONVERT) return _isConversion(frame, effects);
        if (kind == RECORD_FORCED) return _isForced(frame, effects);
        if (kind == RECORD_ADOPT) return _isAdoption(effects);
        return effects.count() == 0;
    }

    /// @dev Of an account that may exist and that signs, and not too late.
    function _isIntent(bytes calldata frame) private pure returns (bool) {
        uint32 account = Commands.accountOf(frame);
        return account != INSURANCE && account < MAX_ACCOUNTS
            && Frames.timeOf(frame) < Commands.expiryOf(frame);
    }

    /// @dev OPEN of accounts 0 and 1, both of sub-account 0.
    function _isGenesis(bytes calldata effects) private pure returns (bool) {
        if (effects.count() != 2) return false;
        for (uint256 i = 0; i < 2; ++i) {
            uint256 word = effects.wordAt(i);
            if (word.kindOf() != EFFECT_OPEN || word.accountOf() != i || word.placeOf() != 0) {
                return false;
            }
        }
        return true;
    }

    /// @dev A NOOP for what is not listed or too large; the OUTPUT of the whole to nobody's account;
    /// or [OPEN], the credit of the whole, [OUTPUT of a part of it].
    function _isDeposit(bytes calldata frame, bytes calldata effects) private pure returns (bool) {
        uint256 words = effects.count();
        if (words == 0) return false;
        uint128 amount = Commands.entryAmountOf(frame);
        uint16 asset = Commands.placeOf(frame);
        uint256 word = effects.wordAt(0);
        if (words == 1 && word.kindOf() == EFFECT_NOOP) {
            return word.placeOf() == NOT_LISTED || word.placeOf() == NO_ROOM;
        }
        if (words == 1 && word.kindOf() == EFFECT_OUTPUT) {
            return word.accountOf() == Effects.NO_ACCOUNT && word.placeOf() == asset
                && word.amountOf() == amount;
        }
        uint256 next = 0;
        uint32 account = word.accountOf();
        if (word.kindOf() == EFFECT_OPEN) {
            if (word.ownerOf() != Commands.ownerOf(frame)) return false;
            if (word.placeOf() != Commands.subaccountOf(frame)) return false;
            ++next;
        }
        if (!Phrases.isCredit(effects, next, account, asset, amount)) return false;
        if (++next == words) return true;
        word = effects.wordAt(next);
        return next + 1 == words && word.kindOf() == EFFECT_OUTPUT && word.accountOf() == account
            && word.placeOf() == asset && word.amountOf() <= amount && word.amountOf() != 0;
    }

    /// @dev Fills on the order's side, in its instrument, of no more than its lots, each with its
    /// fee; none of an order that is only to rest.
    function _isOrder(bytes calldata frame, bytes calldata effects) private pure returns (bool) {
        uint8 timeInForce = Commands.timeInForceOf(frame);
        if (timeInForce > LAST_TIME_IN_FORCE || Commands.reduceOnlyOf(frame) > 1) return false;
        if (timeInForce == POST_ONLY) return effects.count() == 0;
        (uint256 next, int256 lots) =
            _fills(frame, effects, Commands.accountOf(frame), Commands.instrumentOfOrder(frame));
        if (next != effects.count()) return false;
        int256 most = Commands.lotsOfOrder(frame);
        return most > 0 ? lots >= 0 && lots <= most : lots <= 0 && lots >= most;
    }

    /// @dev Fills of one account in one instrument, all on one side, with trading fees.
    /// @return next The first word that is no fill.
    function _fills(bytes calldata frame, bytes calldata effects, uint32 account, uint16 instrument)
        private
        pure
        returns (uint256 next, int256 lots)
    {
        uint256 words = effects.count();
        uint64 seq = Frames.seqOf(frame);
        while (next < words) {
            if (!Phrases.isFill(effects, next, account, seq)) break;
            uint256 word = effects.wordAt(next);
            int256 more = word.lotsOf();
            // Another side or instrument is no fill of this order; the word is then left over.
            if (word.placeOf() != instrument || (lots != 0 && (lots > 0) != (more > 0))) break;
            lots += more;
            next += 2;
            if (Phrases.isToFund(effects, next, account, CASH_TRADING_FEE)) next += 2;
        }
    }

    /// @dev Exactly one OUTPUT of account, asset and amount.
    function _isWithdrawal(bytes calldata frame, bytes calldata effects)
        private
        pure
        returns (bool)
    {
        if (effects.count() != 1) return false;
        uint256 word = effects.wordAt(0);
        return word.kindOf() == EFFECT_OUTPUT && word.accountOf() == Commands.accountOf(frame)
            && word.placeOf() == Commands.assetOf(frame)
            && word.amountOf() == Commands.amountOf(frame) && word.amountOf() != 0;
    }

    /// @dev Exactly one SETTLE of the instrument, of no account.
    function _isSettlement(bytes calldata frame, bytes calldata effects)
        private
        pure
        returns (bool)
    {
        if (effects.count() != 1) return false;
        uint256 word = effects.wordAt(0);
        return word.kindOf() == EFFECT_SETTLE && word.accountOf() == 0
            && word.placeOf() == Commands.instrumentOfExpiry(frame);
    }

    /// @dev Nothing, or one ASSETS, of no account. One at least there are from the first record on.
    function _isAdoption(bytes calldata effects) private pure returns (bool) {
        if (effects.count() != 1) return effects.count() == 0;
        uint256 word = effects.wordAt(0);
        return word.kindOf() == EFFECT_ASSETS && word.accountOf() == 0 && word.placeOf() > 1
            && word.placeOf() <= MAX_COLLATERALS;
    }

    /// @dev Exactly one MODE, not of the backstop.
    function _isMode(bytes calldata frame, bytes calldata effects) private pure returns (bool) {
        if (effects.count() != 1) return false;
        uint256 word = effects.wordAt(0);
        uint8 mode = Commands.modeOf(frame);
        uint32 account = Commands.accountOf(frame);
        return word.kindOf() == EFFECT_MODE && word.accountOf() == account && account != BACKSTOP
            && word.placeOf() == mode && mode <= MODE_PORTFOLIO;
    }

    /// @dev Exactly one sale to the backstop, of asset and amount, for at least the minimum.
    function _isConversion(bytes calldata frame, bytes calldata effects)
        private
        pure
        returns (bool)
    {
        uint32 account = Commands.accountOf(frame);
        if (effects.count() != Phrases.SALE_WORDS || !Phrases.isSale(effects, 0, account)) {
            return false;
        }
        uint256 word = effects.wordAt(0);
        int256 cashE6 = effects.wordAt(2).deltaOf();
        return account != BACKSTOP && word.placeOf() == Commands.assetOf(frame)
            && -int256(word.deltaOf()) == int256(uint256(Commands.amountOf(frame))) && cashE6 > 0
            && cashE6 >= int256(uint256(Commands.minimumOf(frame)));
    }

    /// @dev LIQUIDATION of the account, then what `Phrases.isLiquidation` reads.
    function _isLiquidation(bytes calldata frame, bytes calldata effects)
        private
        pure
        returns (bool)
    {
        uint32 account = Commands.accountOf(frame);
        return account > BACKSTOP && Phrases.isLiquidation(effects, account, Frames.seqOf(frame));
    }

    function _isForced(bytes calldata frame, bytes calldata effects) private pure returns (bool) {
        uint8 kind = Commands.entryKindOf(frame);
        uint256 words = effects.count();
        bool isNoop = words == 1 && effects.wordAt(0).kindOf() == EFFECT_NOOP;
        if (isNoop) return _isReason(kind, effects.wordAt(0));
        if (kind == INBOX_WITHDRAW) return words == 1 && _isPayment(frame, effects.wordAt(0));
        if (kind == INBOX_CLOSE) return words != 0 && _isClose(frame, effects);
        return words == 0
            && (kind == INBOX_CANCEL_ALL || kind == INBOX_GRANT_KEY || kind == INBOX_REVOKE_KEY);
    }

    /// @dev A reason that the entry can have; the account is nobody's exactly when there is none
    /// or nobody looked for it.
    function _isReason(uint8 kind, uint256 word) private pure returns (bool) {
        uint16 reason = word.placeOf();
        bool isNobody = word.accountOf() == Effects.NO_ACCOUNT;
        bool isAboutNobody = reason == UNKNOWN_ACCOUNT || reason == NOT_LISTED;
        if (isNobody != isAboutNobody) return false;
        if (kind == INBOX_WITHDRAW) {
            return isAboutNobody || reason == NOTHING_FREE || reason == PRICES_IN_DOUBT;
        }
        if (kind == INBOX_CANCEL_ALL) return reason == UNKNOWN_ACCOUNT;
        return kind == INBOX_CLOSE
            && (isAboutNobody
                || reason == PRICES_IN_DOUBT
                || reason == NOTHING_TO_CLOSE
                || reason == NOBODY_TOOK);
    }

    /// @dev An OUTPUT of the asset, of no more than was asked for.
    function _isPayment(bytes calldata frame, uint256 word) private pure returns (bool) {
        return word.kindOf() == EFFECT_OUTPUT && word.accountOf() < MAX_ACCOUNTS
            && word.placeOf() == Commands.placeOf(frame) && word.amountOf() != 0
            && word.amountOf() <= Commands.entryAmountOf(frame);
    }

    /// @dev Fills with fees, a transfer to the backstop, a penalty: in this order, of one account
    /// and in the instrument, on one side, within the lots asked for.
    function _isClose(bytes calldata frame, bytes calldata effects) private pure returns (bool) {
        uint32 account = Phrases.closerOf(effects);
        uint16 instrument = Commands.placeOf(frame);
        (uint256 next, int256 lots) = _fills(frame, effects, account, instrument);
        if (Phrases.isTransfer(effects, next, account)) {
            uint256 word = effects.wordAt(next + 1);
            int256 more = word.lotsOf();
            if (word.placeOf() != instrument || (lots != 0 && (lots > 0) != (more > 0))) {
                return false;
            }
            lots += more;
            next += 2;
            if (Phrases.isPenalty(effects, next, account)) next += 2;
        }
        uint256 most = Commands.entryAmountOf(frame);
        // forge-lint: disable-next-line(unsafe-typecast): what follows is not negative.
        uint256 size = uint256(lots < 0 ? -lots : lots);
        return next == effects.count() && size != 0 && (most == 0 || size <= most);
    }
}
