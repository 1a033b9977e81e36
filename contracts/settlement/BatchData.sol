// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {BLOB_BYTES, BatchHeader, DATA_BLOBS, DATA_CALLDATA, MAX_BLOBS} from "../types/Batch.sol";

/// @title BatchData
/// @notice Whether the log of a batch is posted with the transaction that commits it.
library BatchData {
    /// @notice Reverts unless the header describes what is posted.
    /// @dev What the blobs hold is seen through `daHash` alone, by whoever reads them: here only
    /// their hashes are known. `daLength` says how many there are.
    function requirePosted(BatchHeader calldata header, bytes calldata logData) internal view {
        if (header.daKind > DATA_BLOBS) revert ISettlement.WrongDataKind(header.daKind);
        uint256 inCalldata = header.daKind == DATA_CALLDATA ? header.daLength : 0;
        if (logData.length != inCalldata) {
            revert ISettlement.WrongDataLength(inCalldata, logData.length);
        }
        bytes32 actual =
            header.daKind == DATA_CALLDATA ? keccak256(logData) : blobsHash(header.daLength);
        if (header.daHash != actual) revert ISettlement.WrongDataHash(header.daHash, actual);
    }

    /// @notice Hash of the versioned hashes of the transaction's blobs, packed.
    /// @dev The transaction has exactly as many blobs as data of this length fills.
    function blobsHash(uint256 length) private view returns (bytes32) {
        uint256 expected = (length + BLOB_BYTES - 1) / BLOB_BYTES;
        uint256 given = 0;
        bytes memory hashes = "";
        while (given <= MAX_BLOBS && blobhash(given) != 0) {
            hashes = bytes.concat(hashes, blobhash(given));
            ++given;
        }
        if (given != expected || given == 0 || given > MAX_BLOBS) {
            revert ISettlement.WrongBlobCount(given, expected, MAX_BLOBS);
        }
        return keccak256(hashes);
    }
}
