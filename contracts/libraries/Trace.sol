// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../types/Batch.sol";
import {StepOpening, StepPair, TraceBounds} from "../types/Evidence.sol";
import {Step} from "../types/Trace.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";
import {BatchHash} from "./BatchHash.sol";
import {Merkle} from "./Merkle.sol";

/// @title Trace
/// @notice Opens single steps of a batch, and a step with the one before it.
/// @dev The preimage of a step is 320 bytes, so neither a node nor a padding leaf passes for one:
/// in a tree built as docs/COMMITMENTS.md says, an opening has one index and one length of proof.
library Trace {
    uint256 private constant STEP_BYTES = 10 * 32;

    /// @dev Words before the data of an array that is the only argument of `abi.encode(book)`:
    /// keccak256(abi.encode(Book(new uint128[](0), new uint128[](0), 0, 0, 0, 0, 0))).
    bytes32 internal constant EMPTY_BOOK =
        keccak256(abi.encode(0x20, 0xe0, 0x100, 0, 0, 0, 0, 0, 0, 0));

    /// @notice The batch has no step at this place.
    error NoSuchStep(uint32 index, uint32 stepCount);

    /// @notice The rule is about the last step of the batch.
    error NotLastStep(uint32 index, uint32 stepCount);

    /// @notice The step is not in the tree.
    error WrongStep(bytes32 root, bytes32 expected);

    /// @notice The header of the batch before is needed for the first step, and for no other.
    error PreviousHeaderCount(uint256 given, uint256 expected);

    /// @notice The header given is not that of the batch before.
    error WrongPreviousHeader(bytes32 given, bytes32 expected);

    /// @notice Before batch 1 there is only the step of zeros.
    error WrongZeroStep(bytes32 given, bytes32 expected);

    /// @notice Leaf of the trace: keccak256(abi.encode(step)).
    /// @dev The words go in as they lie in calldata: one that does not fit its type makes another
    /// hash than any step has.
    function stepHash(Step calldata step) internal pure returns (bytes32 hash) {
        uint256 size = STEP_BYTES;
        assembly ("memory-safe") {
            let start := mload(0x40)
            calldatacopy(start, step, size)
            hash := keccak256(start, size)
        }
    }

    /// @notice Reverts unless the step is the one at its place in the batch.
    function requireStep(BatchHeader calldata header, StepOpening calldata opening) internal pure {
        requireStepAt(header, opening.step, opening.index, opening.proof);
    }

    /// @notice Reverts unless `step` is at place `index` in the batch.
    function requireStepAt(
        BatchHeader calldata header,
        Step calldata step,
        uint32 index,
        bytes32[] calldata proof
    ) internal pure {
        uint32 stepCount = header.stepCount;
        require(index < stepCount, NoSuchStep(index, stepCount));
        bytes32 root = Merkle.listRoot(stepHash(step), index, proof);
        require(root == header.traceRoot, WrongStep(root, header.traceRoot));
    }

    /// @notice Reverts unless the two are the step at `index` and the one before it: in this batch,
    /// at the end of the batch before, or, before batch 1, the step of zeros.
    function requirePair(BatchHeader calldata header, StepPair calldata pair) internal pure {
        requireStepAt(header, pair.step, pair.index, pair.proof);
        requirePrevious(header, pair.index, pair.previous, pair.previousProof, pair.previousHeader);
    }

    /// @notice Reverts unless `previous` is the step before the one at `index`.
    function requirePrevious(
        BatchHeader calldata header,
        uint32 index,
        Step calldata previous,
        bytes32[] calldata proof,
        BatchHeader[] calldata previousHeader
    ) internal pure {
        bool isAcross = index == 0 && header.batchNo > 1;
        uint256 expected = isAcross ? 1 : 0;
        require(
            previousHeader.length == expected, PreviousHeaderCount(previousHeader.length, expected)
        );
        if (isAcross) {
            BatchHeader calldata before = previousHeader[0];
            bytes32 given = BatchHash.givenHeaderHash(before);
            require(given == header.prevBatchHash, WrongPreviousHeader(given, header.prevBatchHash));
            // A batch without steps has no last one: its own count is at fault then.
            uint32 stepCount = before.stepCount;
            require(stepCount != 0, NoSuchStep(0, 0));
            requireStepAt(before, previous, stepCount - 1, proof);
        } else if (index == 0) {
            bytes32 given = stepHash(previous);
            bytes32 zero = zeroStepHash();
            require(given == zero, WrongZeroStep(given, zero));
        } else {
            requireStepAt(header, previous, index - 1, proof);
        }
    }

    /// @notice Reverts unless the two are the step before the batch and the last one of it.
    function requireBounds(BatchHeader calldata header, TraceBounds calldata bounds) internal pure {
        requirePrevious(header, 0, bounds.before, bounds.beforeProof, bounds.previousHeader);
        uint32 stepCount = header.stepCount;
        require(stepCount != 0, NoSuchStep(0, 0));
        requireStepAt(header, bounds.last, stepCount - 1, bounds.lastProof);
    }

    /// @notice Reverts unless the step is the last one of the batch.
    function requireLast(BatchHeader calldata header, StepOpening calldata opening) internal pure {
        requireStep(header, opening);
        require(opening.index == header.stepCount - 1, NotLastStep(opening.index, header.stepCount));
    }

    /// @notice Levels of a list tree with so many leaves.
    function depthOf(uint256 leaves) internal pure returns (uint256 depth) {
        while (1 << depth < leaves) ++depth;
    }

    /// @notice Hash of the step before batch 1.
    function zeroStepHash() internal pure returns (bytes32) {
        Step memory zero;
        zero.accountRoot = emptyAccountRoot();
        zero.bookHash = EMPTY_BOOK;
        return keccak256(abi.encode(zero));
    }

    /// @notice Root of the account tree without accounts.
    function emptyAccountRoot() internal pure returns (bytes32 root) {
        for (uint256 level = 0; level < ACCOUNT_TREE_DEPTH; ++level) {
            root = keccak256(abi.encode(root, root));
        }
    }
}
