// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Columns} from "../libraries/Columns.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_LIQUIDATE, RECORD_PLACE_ORDER} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {Prices} from "../libraries/Prices.sol";
import {BatchHeader} from "../types/Batch.sol";
import {TradeEvidence} from "../types/ContentEvidence.sol";
import {CASH_TRADING_FEE, EFFECT_TRADE} from "../types/Trace.sol";
import {SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {EarlierRecord} from "./EarlierRecord.sol";

/// @title TradeJudge
/// @notice Kind 12, trades on the book: a fill that the two orders or the price do not justify.
/// @dev Evidence is a `TradeEvidence`. The word of the maker names an order by the sequence number
/// of its record, which is opened. Faulty when that record is no PlaceOrder of the maker's account
/// in the instrument, on the maker's side, that may rest, lasts beyond the time of the record and
/// has as many lots; when a taker's order does not allow the maker's price; when the cost is not
/// lots x (price per lot - funding) at the maker's price and the funding before the record; or when
/// the fee is not the taker's fee on the notional, rounded up, or, in a liquidation, not zero.
contract TradeJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 private constant IMMEDIATE_OR_CANCEL = 1;

    /// @notice The word fills no order: look at the one after.
    error NoOrder(uint32 place);

    /// @notice The record opened is not the one that the word names.
    error OtherOrder(uint64 given, uint64 expected);

    /// @notice The instrument opened is not the one traded.
    error OtherInstrument(uint16 given, uint16 expected);

    ISettlement private immutable _settlement;
    IRiskParameters private immutable _parameters;

    constructor(ISettlement settlement, IRiskParameters parameters) {
        (_settlement, _parameters) = (settlement, parameters);
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        TradeEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, shown.record);
        uint256 taker = shown.record.effects.ofKind(shown.place, EFFECT_TRADE);
        uint256 maker = shown.record.effects.ofKind(uint256(shown.place) + 1, EFFECT_TRADE);
        require(maker.orderOf() != 0, NoOrder(shown.place));
        uint32 index = shown.record.pair.index;
        EarlierRecord.requireBefore(_settlement, header, index, shown.maker);
        uint64 seq = Frames.seqOf(shown.maker.frame);
        require(seq == maker.orderOf(), OtherOrder(seq, maker.orderOf()));
        if (!_isMaker(shown, maker) || !_mayTake(shown, taker)) return true;
        return _isMispriced(_parameters.listingRootOf(header.paramsHash), shown, taker);
    }

    /// @dev The order that rests.
    function _isMaker(TradeEvidence calldata shown, uint256 word) private pure returns (bool) {
        bytes calldata order = shown.maker.frame;
        if (Frames.typeOf(order) != RECORD_PLACE_ORDER) return false;
        int256 most = Commands.lotsOfOrder(order);
        int256 lots = word.lotsOf();
        bool isWithin = most > 0 ? lots > 0 && lots <= most : lots < 0 && lots >= most;
        return isWithin && Commands.accountOf(order) == word.accountOf()
            && Commands.instrumentOfOrder(order) == word.placeOf()
            && Commands.timeInForceOf(order) != IMMEDIATE_OR_CANCEL
            && Frames.timeOf(shown.record.frame) < Commands.expiryOf(order);
    }

    /// @dev The order that takes, if it is one; liquidations and closes have judges of their limits.
    function _mayTake(TradeEvidence calldata shown, uint256 word) private pure returns (bool) {
        if (Frames.typeOf(shown.record.frame) != RECORD_PLACE_ORDER) return true;
        uint64 priceE8 = Commands.limitOfOrder(shown.maker.frame);
        uint64 limitE8 = Commands.limitOfOrder(shown.record.frame);
        return word.lotsOf() > 0 ? priceE8 <= limitE8 : priceE8 >= limitE8;
    }

    function _isMispriced(bytes32 listingRoot, TradeEvidence calldata shown, uint256 word)
        private
        pure
        returns (bool)
    {
        uint16 instrument = word.placeOf();
        require(
            shown.instrument.listed.id == instrument,
            OtherInstrument(shown.instrument.listed.id, instrument)
        );
        Openings.requireInstrument(listingRoot, shown.instrument);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        Openings.requireFunding(shown.epoch, uint8(instrument >> SLOT_BITS), shown.funding);
        int256 fundingE6 = Columns.valueAt(shown.funding.packed, instrument & SLOT_MASK);
        uint256 divisor = shown.instrument.listed.instrument.lotDivisor;
        uint256 priceE8 = Commands.limitOfOrder(shown.maker.frame);
        if (Prices.costOf(word.lotsOf(), priceE8, divisor, fundingE6) != word.costOf()) {
            return true;
        }
        bool isLiquidation = Frames.typeOf(shown.record.frame) == RECORD_LIQUIDATE;
        uint256 rateE6 = isLiquidation ? 0 : shown.instrument.listed.takerFeeE6;
        return
            _feeOf(shown, word.accountOf())
                != Prices.feeOf(word.lotsOf(), priceE8 / divisor, rateE6);
    }

    /// @dev What the two words after the fill charge.
    function _feeOf(TradeEvidence calldata shown, uint32 taker) private pure returns (uint256) {
        bytes calldata effects = shown.record.effects;
        uint256 place = uint256(shown.place) + 2;
        if (!Phrases.isToFund(effects, place, taker, CASH_TRADING_FEE)) return 0;
        // forge-lint: disable-next-line(unsafe-typecast): it is below zero.
        return uint256(-int256(effects.wordAt(place).deltaOf()));
    }
}
