// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EFFECT_LIQUIDATION, EFFECT_OUTPUT, Step} from "../types/Trace.sol";
import {RECORD_ADOPT, RECORD_DEPOSIT, RECORD_FORCED} from "./Frames.sol";

/// @title TraceBuild
/// @notice Builds the trace of a batch from the data that was posted, and so tells whether the
/// sequencer committed to the trace that everybody can read.
/// @dev data = frames | for each step: flags u8 | [accountRoot] | [epochHash] | [bookHash] |
/// count u16 | words, each length u8 | bytes. Whatever is not canonical is not a trace.
library TraceBuild {
    /// @notice Records of one batch, at most: so many can be built in one transaction.
    uint256 internal constant MAX_STEPS = 2048;

    uint256 private constant FRAME_HEAD = 25;
    uint256 private constant TYPE_AT = 20;
    uint256 private constant LENGTH_AT = 21;

    uint256 private constant ACCOUNT_ROOT = 1;
    uint256 private constant EPOCH_HASH = 2;
    uint256 private constant BOOK_HASH = 4;
    uint256 private constant KNOWN_FLAGS = 7;
    uint256 private constant WORD = 32;

    /// @notice What is built so far: steps, and the epochs in force before the batch and in it.
    struct Build {
        bytes32[] steps;
        bytes32[] epochs;
        uint256 begun;
    }

    /// @notice The root of the trace that the data holds, and of the epochs that the trace names.
    /// @param step The step before the batch; it is changed.
    /// @param count Steps of the batch.
    /// @return isWhole Whether the data is exactly so many frames and steps.
    function rootOf(Step memory step, bytes calldata data, uint256 count)
        internal
        pure
        returns (bool isWhole, bytes32 root, bytes32 epochRoot)
    {
        if (count > MAX_STEPS) return (false, 0, 0);
        uint256 place = framesEnd(data, count);
        Build memory build;
        (build.steps, build.epochs) = (new bytes32[](paddedTo(count)), new bytes32[](count + 1));
        (step.liquidations, step.dataEnd) = (0, 0);
        // Adopted parameters come first, and the epoch before them is of another set.
        if (kindAt(data, 0) != RECORD_ADOPT) addEpoch(build, 0, step.epochHash);
        for (uint256 i = 0; i < count && place != 0; ++i) {
            bytes32 before = step.epochHash;
            addFrame(step, data);
            place = addItem(step, data, place);
            build.steps[i] = hashOf(step);
            addEpoch(build, before, step.epochHash);
        }
        // No step ends at place 0: it stands for data that stops short or is not canonical.
        if (place == 0 || place != data.length) return (false, 0, 0);
        return (true, foldedRoot(build.steps), epochRootOf(build));
    }

    /// @dev Another epoch than before is in force.
    function addEpoch(Build memory build, bytes32 before, bytes32 current) private pure {
        if (current != before) build.epochs[build.begun++] = current;
    }

    function epochRootOf(Build memory build) private pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](paddedTo(build.begun));
        for (uint256 i = 0; i < build.begun; ++i) {
            leaves[i] = build.epochs[i];
        }
        return foldedRoot(leaves);
    }

    /// @dev Where the first `count` frames end; zero when the data ends before.
    function framesEnd(bytes calldata data, uint256 count) private pure returns (uint256 place) {
        for (uint256 i = 0; i < count; ++i) {
            place += FRAME_HEAD + uint32(bytes4(wordAt(data, place + LENGTH_AT)));
            if (place > data.length) return 0;
        }
    }

    /// @dev Everything of a step that follows from its frame, which begins where the last one ended.
    function addFrame(Step memory step, bytes calldata data) private pure {
        uint256 start = step.dataEnd;
        uint256 size = FRAME_HEAD + uint32(bytes4(wordAt(data, start + LENGTH_AT)));
        (bytes32 tip, bytes32 frameHash) = (step.tip, 0);
        // frame = data[start:start + size];
        // frameHash = keccak256(frame);
        // tip = keccak256(bytes.concat(tip, frame));
        // in memory that nobody owns.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, tip)
            calldatacopy(add(free, 0x20), add(data.offset, start), size)
            frameHash := keccak256(add(free, 0x20), size)
            tip := keccak256(free, add(size, 0x20))
        }
        (step.frameHash, step.tip) = (frameHash, tip);
        uint8 kind = kindAt(data, start);
        if (kind == RECORD_DEPOSIT || kind == RECORD_FORCED) ++step.inboxCursor;
        // forge-lint: disable-next-line(unsafe-typecast): calldata is shorter than 2**32 bytes.
        step.dataEnd = uint32(start + size);
    }

    /// @dev Type of the record whose frame begins there.
    function kindAt(bytes calldata data, uint256 start) private pure returns (uint8) {
        return uint8(bytes1(wordAt(data, start + TYPE_AT)));
    }

    /// @dev The rest of a step; returns where it ends, zero when it is not canonical.
    function addItem(Step memory step, bytes calldata data, uint256 place)
        private
        pure
        returns (uint256)
    {
        uint256 flags = uint8(bytes1(wordAt(data, place++)));
        if (flags > KNOWN_FLAGS) return 0;
        bool changes = true;
        if (flags & ACCOUNT_ROOT != 0) {
            (changes, step.accountRoot) = changed(step.accountRoot, wordAt(data, place));
            place += WORD;
        }
        if (flags & EPOCH_HASH != 0 && changes) {
            (changes, step.epochHash) = changed(step.epochHash, wordAt(data, place));
            place += WORD;
        }
        if (flags & BOOK_HASH != 0 && changes) {
            (changes, step.bookHash) = changed(step.bookHash, wordAt(data, place));
            place += WORD;
        }
        if (!changes) return 0;
        return addWords(step, data, place + 2, uint16(bytes2(wordAt(data, place))));
    }

    /// @dev The effect words, each filled up with zeros in memory that nobody owns.
    function addWords(Step memory step, bytes calldata data, uint256 place, uint256 count)
        private
        pure
        returns (uint256)
    {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        for (uint256 i = 0; i < count; ++i) {
            uint256 size = uint8(bytes1(wordAt(data, place++)));
            if (size == 0 || size > WORD) return 0;
            uint256 rest = 8 * (WORD - size);
            uint256 word = uint256(wordAt(data, place)) >> rest;
            if (word & 0xff == 0) return 0;
            word <<= rest;
            uint256 kind = word >> 248;
            if (kind == EFFECT_OUTPUT) ++step.outputs;
            if (kind == EFFECT_LIQUIDATION) ++step.liquidations;
            assembly ("memory-safe") {
                mstore(add(free, shl(5, i)), word)
            }
            place += size;
        }
        bytes32 effectsHash;
        assembly ("memory-safe") {
            effectsHash := keccak256(free, shl(5, count))
        }
        step.effectsHash = effectsHash;
        return place;
    }

    /// @dev A root that is given is another than before.
    function changed(bytes32 before, bytes32 given) private pure returns (bool, bytes32) {
        return (before != given, given);
    }

    /// @dev The 32 bytes from `place`, zeros beyond the end of calldata. What lies beyond the end of
    /// the data does not matter: the caller looks at where the last field ends.
    function wordAt(bytes calldata data, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, place))
        }
    }

    /// @dev keccak256(abi.encode(step)): ten words that lie one after another.
    function hashOf(Step memory step) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(step, 0x140)
        }
    }

    function paddedTo(uint256 count) private pure returns (uint256 width) {
        width = 1;
        while (width < count) width *= 2;
    }

    /// @notice Root of a list tree over as many leaves as a power of two; they are used up.
    function foldedRoot(bytes32[] memory leaves) internal pure returns (bytes32) {
        for (uint256 width = leaves.length / 2; width != 0; width /= 2) {
            for (uint256 i = 0; i < width; ++i) {
                (bytes32 left, bytes32 right) = (leaves[2 * i], leaves[2 * i + 1]);
                // leaves[i] = keccak256(bytes.concat(left, right)), in the scratch space.
                assembly ("memory-safe") {
                    mstore(0x00, left)
                    mstore(0x20, right)
                    mstore(add(leaves, shl(5, add(i, 1))), keccak256(0x00, 0x40))
                }
            }
        }
        return leaves[0];
    }
}
