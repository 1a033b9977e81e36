// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {BatchHeader} from "../types/Batch.sol";
import {PastRecord} from "../types/ContentEvidence.sol";

/// @title EarlierRecord
/// @notice A record before the disputed one, in its batch or in one that the settlement holds.
library EarlierRecord {
    /// @notice The record is not before the disputed one.
    error NotEarlier(uint256 given, uint256 limit);

    /// @notice Reverts unless the record stands before place `index` of this batch, or in a batch
    /// before it.
    /// @dev The disputed batch is open, so every lower number is one of its ancestors.
    function requireBefore(
        ISettlement settlement,
        BatchHeader calldata header,
        uint32 index,
        PastRecord calldata record
    ) internal view {
        Openings.requireFrame(record.opening.step, record.frame);
        if (record.header.length == 0) {
            require(record.opening.index < index, NotEarlier(record.opening.index, index));
            Trace.requireStep(header, record.opening);
            return;
        }
        BatchHeader calldata other = record.header[0];
        uint64 batchNo = other.batchNo;
        require(batchNo < header.batchNo, NotEarlier(batchNo, header.batchNo));
        bytes32 given = BatchHash.givenHeaderHash(other);
        bytes32 committed = settlement.batchHashOf(batchNo);
        require(given == committed, Trace.WrongPreviousHeader(given, committed));
        Trace.requireStep(other, record.opening);
    }
}
