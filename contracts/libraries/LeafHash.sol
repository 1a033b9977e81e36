// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, Position} from "../types/Account.sol";
import {Epoch} from "../types/Epoch.sol";
import {Instruction, Leg, Terms} from "../types/Liquidation.sol";

/// @title LeafHash
/// @notice The hashes of accounts, epochs, reports, instructions and parameters, as
/// docs/COMMITMENTS.md defines them.
library LeafHash {
    uint256 private constant WORD = 32;

    /// @dev Words of `AccountLeaf` and `Instruction` before their first array.
    uint256 private constant LEAF_HEAD = 6 * WORD;
    uint256 private constant INSTRUCTION_HEAD = 7 * WORD;

    uint256 private constant POSITION_WORDS = 3;
    uint256 private constant LEG_WORDS = 3;

    /// @notice Leaf of the account tree.
    /// @dev keccak256(abi.encode(leaf)). The words go in as they lie in calldata, which is how they
    /// are encoded: one that does not fit its type makes another hash. Only the places of the two
    /// arrays are written anew, since a caller may lay them out in another order.
    function account(AccountLeaf calldata leaf) internal pure returns (bytes32 hash) {
        bytes calldata collateral = collateralBytes(leaf.collateralE8);
        bytes calldata positions = positionBytes(leaf.positions);
        uint256 head = LEAF_HEAD;
        // hash = keccak256(bytes.concat(
        //     abi.encode(
        //         0x20, leaf.owner, leaf.subaccount, leaf.mode, leaf.cashE6,
        //         LEAF_HEAD, LEAF_HEAD + collateral.length
        //     ),
        //     collateral,
        //     positions
        // ));
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, 0x20)
            calldatacopy(add(start, 0x20), leaf, 0x80)
            mstore(add(start, 0xa0), head)
            mstore(add(start, 0xc0), add(head, collateral.length))
            let end := add(start, 0xe0)
            calldatacopy(end, collateral.offset, collateral.length)
            end := add(end, collateral.length)
            calldatacopy(end, positions.offset, positions.length)
            end := add(end, positions.length)
            hash := keccak256(start, sub(end, start))
        }
    }

    /// @notice Hash of an oracle report.
    /// @param medians Packed int64, one for each feed.
    function report(uint64 round, uint64 observedAt, bytes memory medians)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(round, observedAt, medians));
    }

    /// @notice Leaf of the epoch list.
    /// @dev keccak256(abi.encode(epoch_)), with its six words as they lie in calldata.
    function epoch(Epoch calldata epoch_) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            calldatacopy(start, epoch_, 0xc0)
            hash := keccak256(start, 0xc0)
        }
    }

    /// @notice Leaf of the liquidation list.
    /// @dev keccak256(abi.encode(instruction_)), with the words as they lie in calldata, except for
    /// the place of the legs.
    function instruction(Instruction calldata instruction_) internal pure returns (bytes32 hash) {
        bytes calldata legs = legBytes(instruction_.legs);
        uint256 head = INSTRUCTION_HEAD;
        // hash = keccak256(bytes.concat(
        //     abi.encode(
        //         0x20, instruction_.id, instruction_.account, instruction_.tier,
        //         instruction_.accountRoot, instruction_.leafHash, instruction_.epochHash,
        //         INSTRUCTION_HEAD
        //     ),
        //     legs
        // ));
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, 0x20)
            calldatacopy(add(start, 0x20), instruction_, 0xc0)
            mstore(add(start, 0xe0), head)
            calldatacopy(add(start, 0x100), legs.offset, legs.length)
            hash := keccak256(start, add(legs.length, 0x100))
        }
    }

    /// @notice Hash of a parameter set.
    /// @param curvesHash keccak256 of its packed tier curves, which `Curves` reads.
    /// @param listingRoot List tree over what it lists: oracle, instruments, assets.
    /// @param documentHash keccak256 of the canonical JSON of the whole set.
    function parameters(
        Terms memory terms,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256(abi.encode(terms)), curvesHash, listingRoot, documentHash)
        );
    }

    /// @dev The length and elements of an array, as encoded. Each of the following three is
    /// data = bytes.concat(abi.encode(array.length), <every word of every element>): the length
    /// lies in calldata just before the elements.
    function collateralBytes(uint64[] calldata array) private pure returns (bytes calldata data) {
        uint256 size = (1 + array.length) * WORD;
        assembly ("memory-safe") {
            data.offset := sub(array.offset, 0x20)
            data.length := size
        }
    }

    function positionBytes(Position[] calldata array) private pure returns (bytes calldata data) {
        uint256 size = (1 + array.length * POSITION_WORDS) * WORD;
        assembly ("memory-safe") {
            data.offset := sub(array.offset, 0x20)
            data.length := size
        }
    }

    function legBytes(Leg[] calldata array) private pure returns (bytes calldata data) {
        uint256 size = (1 + array.length * LEG_WORDS) * WORD;
        assembly ("memory-safe") {
            data.offset := sub(array.offset, 0x20)
            data.length := size
        }
    }
}
