// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Output, Totals} from "../types/Batch.sol";
import {ExitLeaf, ExitSums} from "../types/Checkpoint.sol";
import {InboxEntry} from "../types/Inbox.sol";
import {Book} from "../types/Trace.sol";

/// @title BatchHash
/// @notice The hashes of a batch and of what it commits to, as docs/COMMITMENTS.md defines them.
library BatchHash {
    bytes32 internal constant HEADER_TYPEHASH = keccak256(
        "BatchHeader(uint16 schema,uint64 batchNo,bytes32 prevBatchHash,bytes32 prevStateRoot,"
        "bytes32 stateRoot,bytes32 checkpointRoot,bytes32 inputLogHash,bytes32 traceRoot,"
        "uint32 stepCount,bytes32 daHash,uint32 daLength,uint8 daKind,bytes32 outputRoot,"
        "bytes32 liquidationRoot,uint32 liquidationCount,bytes32 adlRoot,uint64 inboxFrom,"
        "uint64 inboxTo,bytes32 inboxPrefixHash,bytes32 epochRoot,bytes32 priceRoot,"
        "bytes32 riskRoot,bytes32 paramsHash,bytes32 engineHash,uint64 l1BlockNumber,"
        "bytes32 l1BlockHash,uint64 timeStart,uint64 timeEnd,bytes32 totalsHash,"
        "uint64 sequencerEpoch,uint8 proofKind)"
    );

    /// @notice The EIP-712 struct hash of a header: the batch hash.
    /// @dev Every field is static, so the struct encodes in place, one word for each field. A word
    /// that does not fit its type is refused: such a header has no hash.
    function headerHash(BatchHeader calldata header) internal pure returns (bytes32) {
        return keccak256(abi.encode(HEADER_TYPEHASH, header));
    }

    /// @notice `headerHash` for a comparison with the hash that was committed.
    /// @dev The words go in as they lie in calldata, which is how they are encoded: one that does
    /// not fit its type makes another hash than any header has.
    function givenHeaderHash(BatchHeader calldata header) internal pure returns (bytes32 hash) {
        bytes32 typehash = HEADER_TYPEHASH;
        // hash = headerHash(header), with 31 fields of a word each.
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typehash)
            calldatacopy(add(start, 0x20), header, 992)
            hash := keccak256(start, 1024)
        }
    }

    /// @notice The hash of the totals.
    function totalsHash(Totals calldata totals) internal pure returns (bytes32) {
        return keccak256(abi.encode(totals));
    }

    /// @notice The leaf of an output in the output tree.
    function outputHash(Output calldata output) internal pure returns (bytes32) {
        return keccak256(abi.encode(output));
    }

    /// @notice The hash of one inbox entry.
    function entryHash(InboxEntry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(entry));
    }

    /// @notice The prefix hash after one more entry.
    function inboxPrefix(bytes32 previous, bytes32 entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(previous, entry));
    }

    /// @notice The hash of the running sums after a record.
    function bookHash(Book memory book) internal pure returns (bytes32) {
        return keccak256(abi.encode(book));
    }

    /// @notice The leaf of an account in a checkpoint.
    function exitLeafHash(ExitLeaf memory leaf) internal pure returns (bytes32) {
        return keccak256(abi.encode(leaf));
    }

    /// @notice The root of a checkpoint, from the root of its sum tree and the sums of that.
    function checkpointRoot(bytes32 rootHash, ExitSums memory sums)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(rootHash, packedSums(sums)));
    }

    /// @notice Sums as a node of the sum tree carries them: 16 bytes each, without padding.
    function packedSums(ExitSums memory sums) internal pure returns (bytes memory packed) {
        packed = abi.encodePacked(sums.equityE6, sums.owedE6, sums.debtE6);
        // At most as many as a set has assets.
        for (uint256 a = 0; a < sums.collateralE8.length; ++a) {
            packed = bytes.concat(packed, bytes16(sums.collateralE8[a]));
        }
    }
}
