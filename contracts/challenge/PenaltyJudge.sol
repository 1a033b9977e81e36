// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Columns} from "../libraries/Columns.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {Frames, RECORD_LIQUIDATE} from "../libraries/Frames.sol";
import {Marks} from "../libraries/Marks.sol";
import {Openings} from "../libraries/Openings.sol";
import {Prices} from "../libraries/Prices.sol";
import {BatchHeader} from "../types/Batch.sol";
import {PenaltyEvidence} from "../types/ContentEvidence.sol";
import {CASH_PENALTY, EFFECT_CASH, EFFECT_TRADE} from "../types/Trace.sol";
import {SLOT_BITS, SLOT_MASK} from "../types/Units.sol";

/// @title PenaltyJudge
/// @notice Kind 12, the penalty of a liquidation.
/// @dev Evidence is a `PenaltyEvidence` about a Liquidate. Faulty when the account pays a penalty
/// above the liquidation fee on everything that it trades, at the marks before the record, each
/// trade rounded up. The engine rounds the lots of a leg together, so its fee is never above that.
contract PenaltyJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    /// @notice An instrument that the account trades was not opened.
    error MissingInstrument(uint16 instrument);

    /// @notice Every instrument comes with the two columns of its underlying.
    error ColumnCount(uint256 instruments, uint256 values, uint256 fundings);

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
        PenaltyEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Openings.requireRecord(header, shown.record);
        Frames.requireType(shown.record.frame, RECORD_LIQUIDATE);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
        uint256 count = shown.instruments.length;
        require(
            shown.values.length == count && shown.fundings.length == count,
            ColumnCount(count, shown.values.length, shown.fundings.length)
        );
        bytes32 listingRoot = _parameters.listingRootOf(header.paramsHash);
        for (uint256 i = 0; i < count; ++i) {
            Openings.requireInstrument(listingRoot, shown.instruments[i]);
        }
        return _isTooMuch(shown);
    }

    function _isTooMuch(PenaltyEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        uint32 account = Commands.accountOf(shown.record.frame);
        uint256 words = effects.count();
        uint256 dueE6 = 0;
        int256 paidE6 = 0;
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            if (word.accountOf() != account) continue;
            uint8 kind = word.kindOf();
            if (kind == EFFECT_TRADE) dueE6 += _feeOn(shown, word);
            if (kind == EFFECT_CASH && word.placeOf() == CASH_PENALTY) paidE6 -= word.deltaOf();
        }
        // forge-lint: disable-next-line(unsafe-typecast): 64 bits, of a few words.
        return paidE6 > int256(dueE6);
    }

    /// @dev The fee on the lots of one TRADE. [USD e-6]
    function _feeOn(PenaltyEvidence calldata shown, uint256 word) private pure returns (uint256) {
        uint16 id = word.placeOf();
        for (uint256 i = 0; i < shown.instruments.length; ++i) {
            if (shown.instruments[i].listed.id != id) continue;
            int256 lotE6 = Marks.fundingOf(shown.epoch, id, shown.fundings[i]);
            // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
            Openings.requireValues(shown.epoch, uint8(id >> SLOT_BITS), shown.values[i]);
            lotE6 += Columns.valueAt(shown.values[i].packed, id & SLOT_MASK);
            uint256 rateE6 = shown.instruments[i].listed.feeE6;
            // forge-lint: disable-next-line(unsafe-typecast): a mark is not negative.
            return Prices.feeOf(word.lotsOf(), uint256(lotE6), rateE6);
        }
        revert MissingInstrument(id);
    }
}
