// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchStatus} from "../types/Batch.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IFundingOracle
/// @notice The funding that perpetuals have paid, out of final batches, for other contracts.
/// @dev Errors of `Merkle` and `Columns` come through.
interface IFundingOracle {
    /// @notice What connects the funding of one underlying to a batch.
    /// @param epochIndex Place under the batch's `epochRoot`.
    /// @param column Packed int64: cumulative funding of one long lot in each slot. [USD e-6]
    /// @param columnProof Under the epoch's `priceRoot`.
    struct Opening {
        Epoch epoch;
        uint32 epochIndex;
        bytes32[] epochProof;
        uint8 underlying;
        bytes column;
        bytes32[] columnProof;
    }

    /// @notice Two recordings of one instrument; zeros where there is none.
    /// @param cumulativeE6 What one long lot has paid since genesis. [USD e-6]
    /// @param time Begin of the epoch. [ns since 1970]
    /// @param earlierE6 The same at the recording before.
    /// @param earlierTime Of that one.
    struct Funding {
        int64 cumulativeE6;
        uint64 time;
        int64 earlierE6;
        uint64 earlierTime;
    }

    /// @notice Only what is final was paid.
    error BatchNotFinal(uint64 batchNo, BatchStatus status);

    /// @notice The header is not the one that became final.
    error FinalHeaderMismatch(uint64 batchNo, bytes32 expected, bytes32 actual);

    /// @notice The epoch is not in the batch at this place.
    error FundingEpochNotInBatch(bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The column is not under the epoch's price root.
    error FundingColumnNotInEpoch(uint8 underlying, bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice A later epoch, or this one, was recorded before. [ns since 1970]
    error FundingNotNew(uint16 instrument, uint64 time, uint64 newest);

    event FundingRecorded(uint16 indexed instrument, int64 cumulativeE6, uint64 time);

    /// @notice Records the funding of one instrument. Anyone may call it.
    /// @param slot Of the instrument in its underlying.
    function record(BatchHeader calldata header, Opening calldata opening, uint8 slot) external;

    /// @notice The cumulative funding of one instrument, from what is opened alone.
    /// @return cumulativeE6 What one long lot has paid since genesis. [USD e-6]
    /// @return time Begin of the epoch. [ns since 1970]
    function fundingIn(BatchHeader calldata header, Opening calldata opening, uint8 slot)
        external
        view
        returns (int64 cumulativeE6, uint64 time);

    /// @notice The last two recordings of an instrument; what lies between them was paid.
    function fundingOf(uint16 instrument) external view returns (Funding memory);
}
