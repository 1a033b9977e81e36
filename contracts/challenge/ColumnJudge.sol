// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Collateral} from "../libraries/Collateral.sol";
import {Columns} from "../libraries/Columns.sol";
import {Documents, MAX_BRACKETS} from "../libraries/Documents.sol";
import {Frames, RECORD_ADOPT, RECORD_FUNDING_TICK, RECORD_GENESIS} from "../libraries/Frames.sol";
import {Openings} from "../libraries/Openings.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {Trace} from "../libraries/Trace.sol";
import {BatchHeader} from "../types/Batch.sol";
import {Column, ColumnEvidence} from "../types/ContentEvidence.sol";
import {ListedInstrument} from "../types/Listing.sol";
import {KIND_PERPETUAL} from "../types/Pricing.sol";
import {ONE_E6, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {EarlierRecord} from "./EarlierRecord.sol";

/// @title ColumnJudge
/// @notice Kind 12, columns that no report decides to the unit: they must lie within what the
/// parameter set allows. And the set itself must be the one that the header names.
/// @dev Evidence is a `ColumnEvidence` about a record that begins an epoch, `afterwards`; for
/// `ADOPTED` about a Genesis or an Adopt, of which nothing but the frame is looked at.
/// `FUNDING`: `before` and `columnBefore` are those in force before it. Faulty when the funding of
/// the instrument changes by a record that is no FundingTick, or although it is no perpetual; or
/// when it changes by more than the largest rate on a lot at the index allows for the time since
/// `since`, an earlier FundingTick or the Genesis, and for one period at most.
/// `COLLATERAL`: faulty when a bracket of the asset in the collateral column is not one of the set,
/// or its price is not that of a haircut between floor and cap, at the index of the report.
/// `ADOPTED`: faulty when the record carries another document than the header's set has, or an Adopt
/// other terms.
contract ColumnJudge is IJudge {
    uint8 public constant FUNDING = 0;
    uint8 public constant COLLATERAL = 1;
    uint8 public constant ADOPTED = 2;

    /// @dev Eight terms of 32 bits stand before the document.
    uint256 private constant TERMS = 8;
    uint256 private constant TERM_BYTES = 4;

    uint256 private constant ONE_E8 = 1e8;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The record puts no set in force.
    error NoSet(uint8 recordType);

    /// @notice No epoch begins with the record.
    error NoNewEpoch();

    /// @notice Neither a funding tick nor the Genesis: no time is counted from it.
    error NotAStart(uint8 recordType);

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
        ColumnEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= ADOPTED, UnknownRule(rule));
        Trace.requirePair(header, shown.pair);
        Openings.requireFrame(shown.pair.step, shown.frame);
        if (rule == ADOPTED) return _isOtherSet(header.paramsHash, shown.frame);
        bytes32 epochHash = shown.pair.step.epochHash;
        require(epochHash != shown.pair.previous.epochHash, NoNewEpoch());
        Openings.requireEpoch(shown.afterwards, epochHash);
        bytes32 listingRoot = _parameters.listingRootOf(header.paramsHash);
        if (rule == COLLATERAL) return _isCreditWrong(header, listingRoot, shown);
        Openings.requireInstrument(listingRoot, shown.instrument);
        return _isFundingWrong(header, shown);
    }

    function _isOtherSet(bytes32 paramsHash, bytes calldata frame) private view returns (bool) {
        uint8 kind = Frames.typeOf(frame);
        require(kind == RECORD_GENESIS || kind == RECORD_ADOPT, NoSet(kind));
        bytes calldata document = Frames.payloadOf(frame);
        if (kind == RECORD_ADOPT) {
            // Too short for its terms: the judge of steps asks about that.
            uint256[TERMS] memory given;
            for (uint256 i = 0; i < TERMS; ++i) {
                given[i] = Frames.u32At(document, i * TERM_BYTES);
            }
            bytes32 terms = keccak256(abi.encode(_parameters.termsOf(paramsHash)));
            if (keccak256(abi.encode(given)) != terms) return true;
            document = document[TERMS * TERM_BYTES:];
        }
        return keccak256(document) != _parameters.documentHashOf(paramsHash);
    }

    function _isFundingWrong(BatchHeader calldata header, ColumnEvidence calldata shown)
        private
        view
        returns (bool)
    {
        ListedInstrument calldata listed = shown.instrument.listed;
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        uint8 underlying = uint8(listed.id >> SLOT_BITS);
        Openings.requireFunding(shown.afterwards, underlying, shown.column);
        int256 step = Columns.valueAt(shown.column.packed, listed.id & SLOT_MASK);
        // Nothing was paid before there was a price, or before the instrument was listed.
        if (shown.pair.previous.epochHash != 0) {
            Openings.requireEpoch(shown.before, shown.pair.previous.epochHash);
            Openings.requireFunding(shown.before, underlying, shown.columnBefore);
            step -= _fundingOf(shown.columnBefore, listed.id & SLOT_MASK);
        }
        if (step == 0) return false;
        bool mayChange = Frames.typeOf(shown.frame) == RECORD_FUNDING_TICK
            && listed.instrument.kind == KIND_PERPETUAL && shown.pair.previous.epochHash != 0;
        return !mayChange || Rounding.magnitude(step) > _mostOf(header, shown);
    }

    function _fundingOf(Column calldata column, uint256 slot) private pure returns (int256) {
        return slot < column.packed.length / Columns.VALUE_BYTES
            ? int256(Columns.valueAt(column.packed, slot))
            : int256(0);
    }

    /// @dev ceil(cap x lot at the index x time / period); the engine rounds down, also what is
    /// below zero. [USD e-6]
    function _mostOf(BatchHeader calldata header, ColumnEvidence calldata shown)
        private
        view
        returns (uint256)
    {
        EarlierRecord.requireBefore(_settlement, header, shown.pair.index, shown.since);
        uint8 kind = Frames.typeOf(shown.since.frame);
        require(kind == RECORD_FUNDING_TICK || kind == RECORD_GENESIS, NotAStart(kind));
        Documents.requireDocument(shown.document, _parameters.documentHashOf(header.paramsHash));
        (uint256 capE8, uint256 periodNs) = Documents.fundingOf(shown.document, shown.place);
        Openings.requireReport(shown.report, shown.before.reportHash);
        ListedInstrument calldata listed = shown.instrument.listed;
        int64 indexE8 = Columns.valueAt(shown.report.medians, listed.places.index);
        // forge-lint: disable-next-line(unsafe-typecast): medians are positive.
        uint256 lotE6 = uint64(indexE8) / listed.instrument.lotDivisor;
        uint256 elapsedNs = Frames.timeOf(shown.frame) - Frames.timeOf(shown.since.frame);
        if (elapsedNs > periodNs) elapsedNs = periodNs;
        return Rounding.mulDivCeil(capE8 * lotE6, elapsedNs, ONE_E8 * periodNs);
    }

    function _isCreditWrong(
        BatchHeader calldata header,
        bytes32 listingRoot,
        ColumnEvidence calldata shown
    ) private view returns (bool) {
        Openings.requireAsset(listingRoot, shown.asset);
        Openings.requireReport(shown.report, shown.afterwards.reportHash);
        Openings.requireColumn(
            shown.afterwards.chargeRoot,
            Collateral.INDEX,
            Collateral.UNDERLYING,
            Collateral.KIND,
            shown.column
        );
        Documents.requireDocument(shown.document, _parameters.documentHashOf(header.paramsHash));
        uint256 asset = shown.asset.listed.asset;
        (Documents.Bracket[MAX_BRACKETS] memory brackets, uint256 count) =
            Documents.bracketsOf(shown.document, shown.place, asset);
        int64 indexE8 = Columns.valueAt(shown.report.medians, shown.asset.listed.indexFeed);
        if (asset * Collateral.ASSET_BYTES > shown.column.packed.length) return true;
        for (uint256 b = 0; b < MAX_BRACKETS; ++b) {
            (uint256 uptoE8, uint256 priceE8) = Collateral.bracketAt(shown.column.packed, asset, b);
            uint256 weightE6 = b < count ? brackets[b].weightE6 : 0;
            if (uptoE8 != (b < count ? brackets[b].uptoE8 : 0)) return true;
            // forge-lint: disable-next-line(unsafe-typecast): medians are positive.
            uint256 price = uint64(indexE8);
            if (priceE8 > _credit(price, shown.asset.listed.haircutFloorE6, weightE6)) return true;
            if (priceE8 < _credit(price, shown.asset.listed.haircutCapE6, weightE6)) return true;
        }
        return false;
    }

    /// @dev floor(price x min(1 - haircut, weight)), as in `offchain.core.collateral`.
    function _credit(uint256 priceE8, uint256 haircutE6, uint256 weightE6)
        private
        pure
        returns (uint256)
    {
        uint256 shareE6 = ONE_E6 - haircutE6;
        if (weightE6 < shareE6) shareE6 = weightE6;
        return Rounding.mulDivFloor(priceE8, shareE6, ONE_E6);
    }
}
