// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_FORCED} from "../libraries/Frames.sol";
import {Marks} from "../libraries/Marks.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {Prices} from "../libraries/Prices.sol";
import {BatchHeader} from "../types/Batch.sol";
import {BandEvidence} from "../types/ContentEvidence.sol";
import {INBOX_CLOSE} from "../types/Inbox.sol";
import {EFFECT_TRADE} from "../types/Trace.sol";

/// @title BandJudge
/// @notice Kind 12, prices and fees of a forced close.
/// @dev Evidence is a `BandEvidence` about a forced close, at the prices before the record.
/// `LIMIT`: `place` is the word of who closes in a fill. Faulty when the price is worse than the
/// liquidation band allows.
/// `PENALTY`: `place` is the word of who closes in a transfer. Faulty when the penalty after it is
/// more than the liquidation fee on those lots at the mark, rounded up.
contract BandJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant LIMIT = 0;
    uint8 public constant PENALTY = 1;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The record is no forced close.
    error NotAClose();

    /// @notice The word is no fill, or no transfer, of who closes.
    error OtherPhrase(uint32 place);

    /// @notice The instrument opened is not the one traded.
    error OtherInstrument(uint16 given, uint16 expected);

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
        BandEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, shown.record);
        bytes calldata frame = shown.record.frame;
        Frames.requireType(frame, RECORD_FORCED);
        require(Commands.entryKindOf(frame) == INBOX_CLOSE, NotAClose());
        uint256 word = shown.record.effects.ofKind(shown.place, EFFECT_TRADE);
        uint16 id = shown.instrument.listed.id;
        require(id == word.placeOf(), OtherInstrument(id, word.placeOf()));
        Openings.requireInstrument(_parameters.listingRootOf(header.paramsHash), shown.instrument);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
        Marks.Opened memory opened =
            Marks.open(shown.epoch, shown.report, shown.instrument, shown.values, shown.funding);
        if (shown.rule == LIMIT) return _isBeyond(shown, word, opened);
        require(shown.rule == PENALTY, UnknownRule(shown.rule));
        return _isTooMuch(shown, word, opened);
    }

    function _isBeyond(BandEvidence calldata shown, uint256 word, Marks.Opened memory opened)
        private
        pure
        returns (bool)
    {
        uint256 maker = shown.record.effects.ofKind(uint256(shown.place) + 1, EFFECT_TRADE);
        require(maker.orderOf() != 0, OtherPhrase(shown.place));
        int256 limitE8 = Marks.limitOf(opened, shown.instrument, word.lotsOf());
        return Marks.isBeyond(word, limitE8, shown.instrument, opened.fundingE6);
    }

    function _isTooMuch(BandEvidence calldata shown, uint256 word, Marks.Opened memory opened)
        private
        pure
        returns (bool)
    {
        bytes calldata effects = shown.record.effects;
        uint32 account = word.accountOf();
        uint256 place = shown.place;
        require(
            place != 0 && Phrases.isTransfer(effects, place - 1, account), OtherPhrase(shown.place)
        );
        if (!Phrases.isPenalty(effects, place + 1, account)) return false;
        int256 paidE6 = -int256(effects.wordAt(place + 1).deltaOf());
        int256 divisor = int256(uint256(shown.instrument.listed.instrument.lotDivisor));
        // forge-lint: disable-next-line(unsafe-typecast): a mark is not negative.
        uint256 lotE6 = uint256(opened.markE8 / divisor);
        uint256 dueE6 = Prices.feeOf(word.lotsOf(), lotE6, shown.instrument.listed.feeE6);
        // forge-lint: disable-next-line(unsafe-typecast): a penalty takes something away.
        return uint256(paidE6) > dueE6;
    }
}
