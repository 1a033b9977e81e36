// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {BlobData} from "../libraries/BlobData.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {TraceBuild} from "../libraries/TraceBuild.sol";
import {BatchHeader, DATA_CALLDATA} from "../types/Batch.sol";
import {StepPair} from "../types/Evidence.sol";
import {
    BlobFrameEvidence,
    BlobOpening,
    BlobPaddingEvidence,
    RebuildEvidence,
    SliceEvidence
} from "../types/StructureEvidence.sol";
import {Step} from "../types/Trace.sol";

/// @title DataJudge
/// @notice Kind 8: the posted bytes are not the frames and the trace of the batch.
/// @dev evidence = rule u8 | abi.encode(struct). `RULE_REBUILD` decides every such fault; the others
/// are cheaper where they do.
contract DataJudge is IJudge {
    uint8 public constant RULE_SLICE = 1; // SliceEvidence
    uint8 public constant RULE_BLOB_FRAME = 2; // BlobFrameEvidence
    uint8 public constant RULE_BLOB_PADDING = 3; // BlobPaddingEvidence
    uint8 public constant RULE_REBUILD = 4; // RebuildEvidence
    uint8 public constant RULE_EPOCHS = 5; // RebuildEvidence

    /// @notice The data given is not what was posted in calldata.
    error WrongData(bytes32 given, bytes32 expected);

    /// @notice The element holds no byte of the frame.
    error OtherElement(uint256 element, uint256 start, uint256 end);

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_SLICE) return isSliceWrong(header, sliceAt(place));
        if (rule == RULE_BLOB_FRAME) return isElementWrong(header, frameAt(place));
        if (rule == RULE_BLOB_PADDING) return isPaddingWrong(header, paddingAt(place));
        if (rule == RULE_REBUILD) return isTraceWrong(header, rebuildAt(place));
        if (rule == RULE_EPOCHS) return areEpochsWrong(header, rebuildAt(place));
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: at the place of the step's frame the data has something else, or ends.
    function isSliceWrong(BatchHeader calldata header, SliceEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        requireCalldata(header, e.data);
        (uint256 start, uint256 end) = spanOf(e.pair);
        if (start > end || end > e.data.length) return true;
        return keccak256(e.data[start:end]) != e.pair.step.frameHash;
    }

    /// @dev Faulty: an element that holds bytes of the step's frame has others than the frame.
    function isElementWrong(BatchHeader calldata header, BlobFrameEvidence calldata e)
        private
        view
        returns (bool)
    {
        Trace.requirePair(header, e.pair);
        Openings.requireFrame(e.pair.step, e.frame);
        BlobData.requireBlobs(header, e.versionedHashes);
        BlobData.requireElement(e.versionedHashes, e.opening);
        (uint256 start, uint256 end) = spanOf(e.pair);
        if (end != start + e.frame.length || end > header.daLength) return true;

        uint256 element = e.opening.element;
        uint256 first = element * BlobData.ELEMENT_BYTES;
        uint256 last = first + BlobData.ELEMENT_BYTES;
        require(first < end && last > start, OtherElement(element, start, end));
        if (first < start) first = start;
        if (last > end) last = end;
        // The bytes `first` to `last` of the data, at the same place in both.
        uint256 given = uint256(e.opening.value) << 8;
        given <<= 8 * (first - element * BlobData.ELEMENT_BYTES);
        uint256 rest = 8 * (32 - (last - first));
        return given >> rest != uint256(wordAt(e.frame, first - start)) >> rest;
    }

    /// @dev Faulty: an element does not begin with a zero, or is not zero behind the data.
    function isPaddingWrong(BatchHeader calldata header, BlobPaddingEvidence calldata e)
        private
        view
        returns (bool)
    {
        BlobData.requireBlobs(header, e.versionedHashes);
        BlobData.requireElement(e.versionedHashes, e.opening);
        uint256 value = uint256(e.opening.value);
        uint256 start = uint256(e.opening.element) * BlobData.ELEMENT_BYTES;
        uint256 length = header.daLength;
        uint256 used = length > start ? length - start : 0;
        if (used > BlobData.ELEMENT_BYTES) used = BlobData.ELEMENT_BYTES;
        return value >> 248 != 0 || value << (8 * (1 + used)) != 0;
    }

    /// @dev Faulty: the trace that the data holds is not the one of the header, or it holds none.
    function isTraceWrong(BatchHeader calldata header, RebuildEvidence calldata e)
        private
        view
        returns (bool)
    {
        (bool isWhole, bytes32 root,) = build(header, e);
        return !isWhole || root != header.traceRoot;
    }

    /// @dev Faulty: the epochs of the header are not the one in force before the batch and those
    /// that begin in it. An epoch that is not among them could not be disputed.
    function areEpochsWrong(BatchHeader calldata header, RebuildEvidence calldata e)
        private
        view
        returns (bool)
    {
        (bool isWhole,, bytes32 epochRoot) = build(header, e);
        return !isWhole || epochRoot != header.epochRoot;
    }

    function build(BatchHeader calldata header, RebuildEvidence calldata e)
        private
        view
        returns (bool isWhole, bytes32 root, bytes32 epochRoot)
    {
        Trace.requirePrevious(header, 0, e.before, e.beforeProof, e.previousHeader);
        if (header.daKind == DATA_CALLDATA) {
            requireCalldata(header, e.data);
        } else {
            BlobData.requireData(header, e.versionedHashes, e.data, e.commitments, e.proofs);
        }
        Step memory before = e.before;
        return TraceBuild.rootOf(before, e.data, header.stepCount);
    }

    function requireCalldata(BatchHeader calldata header, bytes calldata data) private pure {
        bytes32 given = keccak256(data);
        require(
            header.daKind == DATA_CALLDATA && given == header.daHash,
            WrongData(given, header.daHash)
        );
    }

    /// @dev Where the frame of the step lies in the data.
    function spanOf(StepPair calldata pair) private pure returns (uint256 start, uint256 end) {
        start = pair.index == 0 ? 0 : pair.previous.dataEnd;
        end = pair.step.dataEnd;
    }

    /// @dev The 32 bytes from `place`, of which the caller uses those within the data.
    function wordAt(bytes calldata data, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, place))
        }
    }

    // Where each struct lies in calldata.

    function sliceAt(uint256 place) private pure returns (SliceEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function frameAt(uint256 place) private pure returns (BlobFrameEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function paddingAt(uint256 place) private pure returns (BlobPaddingEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function rebuildAt(uint256 place) private pure returns (RebuildEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
