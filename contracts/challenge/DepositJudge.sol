// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_DEPOSIT} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {BatchHeader} from "../types/Batch.sol";
import {DepositEvidence} from "../types/ContentEvidence.sol";
import {Book, EFFECT_NOOP, EFFECT_OPEN, EFFECT_OUTPUT} from "../types/Trace.sol";

/// @title DepositJudge
/// @notice Kind 12, deposits: money of the inbox that did not go where it belongs.
/// @dev Evidence is a `DepositEvidence` about a Deposit, or for `NUMBER` any record.
/// `HOLDER`: the deposit was credited to an account that existed, opened as `holder`. Faulty when
/// its owner or sub-account is not that of the entry.
/// `NUMBER`: the record opens accounts. Faulty when the first of them has not the number of accounts
/// in the book before it; of two, the second follows.
/// `REST`: `asset` is the listing of the deposited asset, unless that is cash. Faulty when
/// - it is a NOOP because nothing is listed, which is, or for size, and it fits an output;
/// - the whole went back, although the holding stays below 2^60 with it and there is room for
///   another account, or `holder` shows that the owner has one;
/// - it was credited, although the holding reaches 2^60 with it or the tree is full;
/// - what went out at once is not what lies above the cap of the asset; of the insurance fund, all
///   collateral.
contract DepositJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant HOLDER = 0;
    uint8 public constant NUMBER = 1;
    uint8 public constant REST = 2;

    uint256 private constant MAX_ACCOUNTS = 1 << 20;
    uint256 private constant HOLDING_LIMIT = 1 << 60;
    uint256 private constant OUTPUT_LIMIT = 1 << 64;
    uint16 private constant NOT_LISTED = 7;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The account opened is not the one the words name, or it was only just opened.
    error OtherAccount(uint32 given, uint32 expected);

    /// @notice The record opens no account.
    error NothingOpened();

    /// @notice The asset opened is not the one deposited.
    error OtherAsset(uint16 given, uint16 expected);

    IRiskParameters private immutable _parameters;

    constructor(IRiskParameters parameters) {
        _parameters = parameters;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        DepositEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, shown.record);
        if (shown.rule == NUMBER) return _isNumberWrong(shown);
        Frames.requireType(shown.record.frame, RECORD_DEPOSIT);
        if (shown.rule == HOLDER) return _isHolderWrong(shown);
        require(shown.rule == REST, UnknownRule(shown.rule));
        uint16 asset = Commands.placeOf(shown.record.frame);
        if (asset != 0) {
            uint8 given = shown.asset.listed.asset;
            require(given == asset, OtherAsset(given, asset));
            Openings.requireAsset(_parameters.listingRootOf(header.paramsHash), shown.asset);
        }
        _requireBook(shown);
        return _isRestWrong(shown, asset);
    }

    function _isHolderWrong(DepositEvidence calldata shown) private pure returns (bool) {
        uint256 word = shown.record.effects.wordAt(0);
        uint8 kind = word.kindOf();
        bool isCredit = kind != EFFECT_OPEN && kind != EFFECT_NOOP && kind != EFFECT_OUTPUT;
        uint32 account = word.accountOf();
        require(
            isCredit && shown.holder.account == account, OtherAccount(shown.holder.account, account)
        );
        return !_isOwners(shown);
    }

    function _isNumberWrong(DepositEvidence calldata shown) private pure returns (bool) {
        _requireBook(shown);
        bytes calldata effects = shown.record.effects;
        uint256 words = effects.count();
        uint256 next = shown.book.accounts;
        bool isAny = false;
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            if (word.kindOf() != EFFECT_OPEN) continue;
            if (word.accountOf() != next) return true;
            ++next;
            isAny = true;
        }
        require(isAny, NothingOpened());
        return false;
    }

    function _isRestWrong(DepositEvidence calldata shown, uint16 asset)
        private
        pure
        returns (bool)
    {
        bytes calldata effects = shown.record.effects;
        uint256 amount = Commands.entryAmountOf(shown.record.frame);
        uint256 word = effects.wordAt(0);
        if (word.kindOf() == EFFECT_NOOP) {
            return word.placeOf() == NOT_LISTED || amount < OUTPUT_LIMIT;
        }
        uint256 held = _heldOf(shown.book, asset) + amount;
        bool isFull = shown.book.accounts >= MAX_ACCOUNTS;
        if (word.kindOf() == EFFECT_OUTPUT) {
            return held < HOLDING_LIMIT && (!isFull || _isOwners(shown));
        }
        if (held >= HOLDING_LIMIT || (isFull && word.kindOf() == EFFECT_OPEN)) return true;
        return _paidOut(effects) != _aboveCap(shown, asset, held, amount);
    }

    /// @dev Cash has no cap; the insurance fund signs nothing, so collateral would never leave it.
    function _aboveCap(DepositEvidence calldata shown, uint16 asset, uint256 held, uint256 amount)
        private
        pure
        returns (uint256)
    {
        if (asset == 0) return 0;
        if (shown.record.effects.wordAt(0).accountOf() == 0) return amount;
        uint256 cap = shown.asset.listed.capE8;
        uint256 above = held > cap ? held - cap : 0;
        return above < amount ? above : amount;
    }

    function _paidOut(bytes calldata effects) private pure returns (uint256 amount) {
        uint256 words = effects.count();
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            if (word.kindOf() == EFFECT_OUTPUT) amount += word.amountOf();
        }
    }

    /// @dev What the venue holds of an asset: what came in less what went out.
    function _heldOf(Book calldata book, uint16 asset) private pure returns (uint256) {
        return book.deposited[asset] - book.withdrawn[asset];
    }

    function _isOwners(DepositEvidence calldata shown) private pure returns (bool) {
        Openings.requireAccount(shown.record.pair.previous.accountRoot, shown.holder);
        bytes calldata frame = shown.record.frame;
        return
            Openings.isOwnedBy(shown.holder, Commands.ownerOf(frame), Commands.subaccountOf(frame));
    }

    function _requireBook(DepositEvidence calldata shown) private pure {
        bytes32 given = keccak256(abi.encode(shown.book));
        bytes32 expected = shown.record.pair.previous.bookHash;
        require(given == expected, Openings.WrongPreimage(given, expected));
    }
}
