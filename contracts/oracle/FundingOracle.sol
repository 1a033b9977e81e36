// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFundingOracle} from "../interfaces/IFundingOracle.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Columns} from "../libraries/Columns.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {BatchHeader, BatchStatus} from "../types/Batch.sol";
import {SLOT_BITS} from "../types/Units.sol";

/// @title FundingOracle
contract FundingOracle is IFundingOracle {
    ISettlement public immutable settlement;

    mapping(uint16 instrument => Funding) private _fundingOf;

    constructor(ISettlement settlement_) {
        settlement = settlement_;
    }

    /// @inheritdoc IFundingOracle
    function record(BatchHeader calldata header, Opening calldata opening, uint8 slot) external {
        (int64 cumulativeE6, uint64 time) = fundingIn(header, opening, slot);
        // forge-lint: disable-next-line(unsafe-typecast): it is eight.
        uint16 instrument = uint16(opening.underlying) << uint16(SLOT_BITS) | slot;
        Funding memory known = _fundingOf[instrument];
        require(time > known.time, FundingNotNew(instrument, time, known.time));
        _fundingOf[instrument] = Funding(cumulativeE6, time, known.cumulativeE6, known.time);
        emit FundingRecorded(instrument, cumulativeE6, time);
    }

    /// @inheritdoc IFundingOracle
    function fundingIn(BatchHeader calldata header, Opening calldata opening, uint8 slot)
        public
        view
        returns (int64 cumulativeE6, uint64 time)
    {
        _checkFinal(header);
        bytes32 root =
            Merkle.listRoot(LeafHash.epoch(opening.epoch), opening.epochIndex, opening.epochProof);
        require(root == header.epochRoot, FundingEpochNotInBatch(header.epochRoot, root));
        _checkColumn(opening);
        return (Columns.valueAt(opening.column, slot), opening.epoch.time);
    }

    /// @inheritdoc IFundingOracle
    function fundingOf(uint16 instrument) external view returns (Funding memory) {
        return _fundingOf[instrument];
    }

    function _checkFinal(BatchHeader calldata header) private view {
        uint64 batchNo = header.batchNo;
        (BatchStatus status, bytes32 expected) = settlement.batchOf(batchNo);
        require(status == BatchStatus.FINALIZED, BatchNotFinal(batchNo, status));
        bytes32 actual = BatchHash.givenHeaderHash(header);
        require(actual == expected, FinalHeaderMismatch(batchNo, expected, actual));
    }

    /// @dev The leaf of a funding column follows that of its values.
    function _checkColumn(Opening calldata opening) private pure {
        uint8 underlying = opening.underlying;
        bytes32 leaf = Columns.hash(underlying, Columns.FUNDING, opening.column);
        bytes32 expected = opening.epoch.priceRoot;
        uint256 place = 2 * uint256(underlying) + 1;
        bytes32 root = Merkle.listRoot(leaf, place, opening.columnProof);
        require(root == expected, FundingColumnNotInEpoch(underlying, expected, root));
    }
}
