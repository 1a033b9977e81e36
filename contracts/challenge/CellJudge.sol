// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskCells} from "../interfaces/IRiskCells.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Charges} from "../libraries/Charges.sol";
import {Columns} from "../libraries/Columns.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {BatchHeader} from "../types/Batch.sol";
import {CellEvidence} from "../types/ContentEvidence.sol";
import {ListedInstrument} from "../types/Listing.sol";
import {KIND_CALL, KIND_PERPETUAL, Observation} from "../types/Pricing.sol";
import {ONE_E6, SLOT_BITS, SLOT_MASK, YEAR_NS} from "../types/Units.sol";

/// @title CellJudge
/// @notice Kind 2: a mark, a loss, a delta or a charge of an epoch is not what the observation and
/// the listed parameters give.
/// @dev Evidence is a `CellEvidence`: an epoch of the batch, its report, one instrument of the
/// listing, and one column of its underlying. Faulty when the column has no row for the instrument,
/// or when the number in it is not, by `kind`:
/// 255: the value of a lot at the mark, less the funding column at the same place;
/// 0 to 35: the loss of a lot in that scenario;
/// 254: its delta; its roll, the share of the delta that may be lost against other expiries; its
/// unwinding cost; group 0 for a perpetual and another for the rest; the closing fee and, for an
/// option sold, the share of the index beside it. For holding a perpetual a provision is added that
/// no report decides: there the charge must not be less than the closing fee.
contract CellJudge is IJudge {
    /// @notice What a charge row must hold. [USD e-6]
    struct Row {
        int256 deltaE6;
        int256 rollE6;
        uint256 closeE6;
        uint256 nakedE6;
        uint256 unwindE6;
    }

    IRiskParameters private immutable _parameters;
    IRiskCells private immutable _cells;

    constructor(IRiskParameters parameters, IRiskCells cells) {
        (_parameters, _cells) = (parameters, cells);
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        CellEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        bytes32 leaf = LeafHash.epoch(shown.epoch);
        bytes32 root = Merkle.listRoot(leaf, shown.epochIndex, shown.epochProof);
        require(root == header.epochRoot, Openings.WrongRoot(root, header.epochRoot));
        Openings.requireReport(shown.report, shown.epoch.reportHash);
        Openings.requireInstrument(_parameters.listingRootOf(header.paramsHash), shown.instrument);
        if (shown.kind == Columns.VALUES) return _isValueWrong(shown);
        if (shown.kind == Charges.KIND) return _isChargeWrong(shown);
        return _isLossWrong(shown);
    }

    function _isValueWrong(CellEvidence calldata shown) private view returns (bool) {
        (uint8 underlying, uint256 slot) = _placeOf(shown);
        Openings.requireValues(shown.epoch, underlying, shown.column);
        Openings.requireFunding(shown.epoch, underlying, shown.funding);
        if (slot >= shown.column.packed.length / Columns.VALUE_BYTES) return true;
        if (slot >= shown.funding.packed.length / Columns.VALUE_BYTES) return true;
        ListedInstrument calldata listed = shown.instrument.listed;
        (, int256 valueE6) = _cells.lotValue(_observation(shown), listed.places, listed.instrument);
        int256 fundingE6 = Columns.valueAt(shown.funding.packed, slot);
        return Columns.valueAt(shown.column.packed, slot) != valueE6 - fundingE6;
    }

    function _isLossWrong(CellEvidence calldata shown) private view returns (bool) {
        (uint8 underlying, uint256 slot) = _placeOf(shown);
        uint256 place = Columns.riskIndex(underlying, shown.kind);
        Openings.requireColumn(shown.epoch.riskRoot, place, underlying, shown.kind, shown.column);
        if (slot >= shown.column.packed.length / Columns.LOSS_BYTES) return true;
        ListedInstrument calldata listed = shown.instrument.listed;
        int256 lossE6 = _cells.loss(
            _observation(shown), listed.places, listed.scan, listed.instrument, shown.kind
        );
        return Columns.lossAt(shown.column.packed, slot) != lossE6;
    }

    function _isChargeWrong(CellEvidence calldata shown) private view returns (bool) {
        (uint8 underlying, uint256 slot) = _placeOf(shown);
        uint256 place = Charges.index(underlying);
        Openings.requireColumn(
            shown.epoch.chargeRoot, place, underlying, Charges.KIND, shown.column
        );
        if (slot >= shown.column.packed.length / Charges.ROW_BYTES) return true;
        Charges.Row memory given;
        Charges.read(given, shown.column.packed, slot);
        Row memory right = _rowOf(shown);
        if (given.delta != right.deltaE6 || given.roll != right.rollE6) return true;
        if (given.unwind != right.unwindE6) return true;
        bool isPerpetual = shown.instrument.listed.instrument.kind == KIND_PERPETUAL;
        if ((given.group == 0) != isPerpetual) return true;
        if (isPerpetual) return given.long < right.closeE6 || given.short < right.closeE6;
        return given.long != right.closeE6 || given.short != right.closeE6 + right.nakedE6;
    }

    /// @dev Mirrors `offchain.pricing.charge_table`.
    function _rowOf(CellEvidence calldata shown) private view returns (Row memory row) {
        ListedInstrument calldata listed = shown.instrument.listed;
        Observation memory observation = _observation(shown);
        row.deltaE6 = _cells.delta(observation, listed.places, listed.instrument);
        row.rollE6 = _rollOf(listed, shown.report.observedAt, row.deltaE6);
        (, int256 valueE6) = _cells.lotValue(observation, listed.places, listed.instrument);
        row.closeE6 = _share(Rounding.magnitude(valueE6), listed.takerFeeE6);
        int64 indexE8 = Columns.valueAt(shown.report.medians, listed.places.index);
        // forge-lint: disable-next-line(unsafe-typecast): medians are positive.
        uint256 lotE6 = uint64(indexE8) / listed.instrument.lotDivisor;
        row.unwindE6 = _share(lotE6, listed.unwindE6);
        if (listed.instrument.kind >= KIND_CALL) row.nakedE6 = _share(lotE6, listed.nakedMmE6);
    }

    /// @dev sign(delta) x ceil(|delta| x move), the move growing with the time left up to one.
    function _rollOf(ListedInstrument calldata listed, uint64 observedAt, int256 deltaE6)
        private
        pure
        returns (int256)
    {
        uint64 expiryNs = listed.instrument.expiryNs;
        uint256 leftNs = expiryNs > observedAt ? expiryNs - observedAt : 0;
        uint256 moveE6 = uint256(listed.rollRateE6) * leftNs / YEAR_NS;
        if (moveE6 < listed.rollMinE6) moveE6 = listed.rollMinE6;
        if (moveE6 > ONE_E6) moveE6 = ONE_E6;
        // forge-lint: disable-next-line(unsafe-typecast): at most the delta.
        int256 size = int256(_share(Rounding.magnitude(deltaE6), moveE6));
        return deltaE6 < 0 ? -size : size;
    }

    function _share(uint256 amountE6, uint256 rateE6) private pure returns (uint256) {
        return Rounding.mulDivCeil(amountE6, rateE6, ONE_E6);
    }

    function _observation(CellEvidence calldata shown) private pure returns (Observation memory) {
        return Observation(shown.report.observedAt, shown.report.medians);
    }

    function _placeOf(CellEvidence calldata shown) private pure returns (uint8, uint256) {
        uint16 id = shown.instrument.listed.id;
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        return (uint8(id >> SLOT_BITS), id & SLOT_MASK);
    }
}
