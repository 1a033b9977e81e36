// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Collateral} from "../libraries/Collateral.sol";
import {Columns} from "../libraries/Columns.sol";
import {Effects} from "../libraries/Effects.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {Prices} from "../libraries/Prices.sol";
import {BatchHeader} from "../types/Batch.sol";
import {PriceEvidence} from "../types/ContentEvidence.sol";
import {KIND_PERPETUAL} from "../types/Pricing.sol";
import {EFFECT_SETTLE, EFFECT_TRADE} from "../types/Trace.sol";
import {AMOUNT_PRICE_PER_USD_E6, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";

/// @title PriceJudge
/// @notice Kind 12, prices that no order names: transfers at the mark, sales of collateral,
/// settlements of what expired.
/// @dev Evidence is a `PriceEvidence`; all prices are those in force before the record.
/// `TRANSFER`: `place` is a TRADE that fills no order and is not the taker's word of a fill. Faulty
/// when its cost is not lots x value column.
/// `SALE`: `place` is the first of the four words of a sale. Faulty when the cash is not
/// floor(amount x price / 1e10) at the price of the first bracket of the collateral column.
/// `SETTLEMENT`: `place` is a SETTLE. Faulty when the instrument is a perpetual, when the report in
/// force was observed before its expiry, or when the value is not the payoff at its index price.
/// `UNLISTED`: `place` is a TRADE. Faulty when the value column of its underlying has no such slot.
contract PriceJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant TRANSFER = 0;
    uint8 public constant SALE = 1;
    uint8 public constant SETTLEMENT = 2;
    uint8 public constant UNLISTED = 3;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The word belongs to a fill, or there is no sale at this place.
    error OtherPhrase(uint32 place);

    /// @notice The instrument opened is not the one settled.
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
        PriceEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, shown.record);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
        if (shown.rule == TRANSFER) return _isTransferWrong(shown);
        if (shown.rule == SALE) return _isSaleWrong(shown);
        if (shown.rule == UNLISTED) return _isUnlisted(shown);
        require(shown.rule == SETTLEMENT, UnknownRule(shown.rule));
        return _isSettlementWrong(_parameters.listingRootOf(header.paramsHash), shown);
    }

    function _isTransferWrong(PriceEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        uint256 word = effects.ofKind(shown.place, EFFECT_TRADE);
        require(word.orderOf() == 0 && !_isTaker(shown), OtherPhrase(shown.place));
        uint16 instrument = word.placeOf();
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        Openings.requireValues(shown.epoch, uint8(instrument >> SLOT_BITS), shown.column);
        int256 valueE6 = Columns.valueAt(shown.column.packed, instrument & SLOT_MASK);
        return word.costOf() != word.lotsOf() * valueE6;
    }

    function _isUnlisted(PriceEvidence calldata shown) private pure returns (bool) {
        uint16 instrument = shown.record.effects.ofKind(shown.place, EFFECT_TRADE).placeOf();
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        Openings.requireValues(shown.epoch, uint8(instrument >> SLOT_BITS), shown.column);
        return instrument & SLOT_MASK >= shown.column.packed.length / Columns.VALUE_BYTES;
    }

    /// @dev In an honest record a word of a maker follows exactly the words of takers.
    function _isTaker(PriceEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        uint256 next = uint256(shown.place) + 1;
        if (next >= effects.count()) return false;
        uint256 word = effects.wordAt(next);
        return word.kindOf() == EFFECT_TRADE && word.orderOf() != 0;
    }

    function _isSaleWrong(PriceEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        uint256 word = effects.wordAt(shown.place);
        require(Phrases.isSale(effects, shown.place, word.accountOf()), OtherPhrase(shown.place));
        Openings.requireColumn(
            shown.epoch.chargeRoot,
            Collateral.INDEX,
            Collateral.UNDERLYING,
            Collateral.KIND,
            shown.column
        );
        // forge-lint: disable-next-line(unsafe-typecast): a sale takes something away.
        uint256 amountE8 = uint256(-int256(word.deltaOf()));
        uint256 priceE8 = Collateral.firstPrice(shown.column.packed, word.placeOf());
        int256 cashE6 = effects.wordAt(uint256(shown.place) + 2).deltaOf();
        // 64 bits each.
        // forge-lint: disable-next-line(unsafe-typecast)
        return cashE6 != int256(amountE8 * priceE8 / AMOUNT_PRICE_PER_USD_E6);
    }

    function _isSettlementWrong(bytes32 listingRoot, PriceEvidence calldata shown)
        private
        pure
        returns (bool)
    {
        uint256 word = shown.record.effects.ofKind(shown.place, EFFECT_SETTLE);
        uint16 id = shown.instrument.listed.id;
        require(id == word.placeOf(), OtherInstrument(id, word.placeOf()));
        Openings.requireInstrument(listingRoot, shown.instrument);
        Openings.requireReport(shown.report, shown.epoch.reportHash);
        if (shown.instrument.listed.instrument.kind == KIND_PERPETUAL) return true;
        if (shown.report.observedAt < shown.instrument.listed.instrument.expiryNs) return true;
        int256 indexE8 = Columns.valueAt(shown.report.medians, shown.instrument.listed.places.index);
        return word.deltaOf() != Prices.payoffOf(shown.instrument.listed, indexE8);
    }
}
