// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WalkEvidence} from "../types/StructureEvidence.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";

/// @title SumWalk
/// @notice Goes down a checkpoint from its root, as `SumTree` climbs up from a leaf: so a node whose
/// sums are not those of its children is found, and not only missed.
library SumWalk {
    uint256 private constant HASH_BYTES = 32;
    uint256 private constant SUM_BYTES = 16;

    /// @dev Equity, what is owed, debt.
    uint256 private constant LEAST_SUMS = 3 * SUM_BYTES;

    /// @notice The batch has no checkpoint.
    error NoCheckpoint();

    /// @notice The preimage given is not that of the checkpoint, or of the node above.
    error WrongNode(uint256 level, bytes32 given, bytes32 expected);

    /// @notice A way down has at most as many nodes as the tree has levels.
    error WalkTooLong(uint256 nodes, uint256 limit);

    /// @notice The tree has no such account.
    error AccountOutOfRange(uint256 account, uint256 leaves);

    /// @notice Where a walk ended.
    /// @param isSound False when a node on the way is not one: then the rest says nothing.
    struct End {
        bool isSound;
        bytes32 node;
        bytes sums;
    }

    /// @notice Follows the nodes given toward an account.
    /// @dev A node has two children, each a hash and as many sums as the root has; its sums are
    /// theirs. A child without hash has no sums, and a node of two such children is none.
    function follow(bytes32 checkpointRoot, WalkEvidence calldata walk)
        internal
        pure
        returns (End memory end)
    {
        require(checkpointRoot != 0, NoCheckpoint());
        bytes32 given = keccak256(abi.encode(walk.rootHash, walk.rootSums));
        require(given == checkpointRoot, WrongNode(0, given, checkpointRoot));
        uint256 levels = walk.nodes.length;
        require(levels <= ACCOUNT_TREE_DEPTH, WalkTooLong(levels, ACCOUNT_TREE_DEPTH));
        uint256 account = walk.account;
        require(
            account >> ACCOUNT_TREE_DEPTH == 0, AccountOutOfRange(account, 1 << ACCOUNT_TREE_DEPTH)
        );

        bytes calldata sums = walk.rootSums;
        bytes32 node = walk.rootHash;
        if (sums.length < LEAST_SUMS || sums.length % SUM_BYTES != 0) return end;
        if (node == 0 && !areZero(sums)) return end;
        for (uint256 level = 0; level < levels; ++level) {
            bytes calldata children = walk.nodes[level];
            given = keccak256(children);
            require(given == node, WrongNode(level, given, node));
            if (!isNode(children, sums)) return end;
            uint256 width = children.length / 2;
            uint256 side = account >> (ACCOUNT_TREE_DEPTH - 1 - level) & 1;
            bytes calldata child = children[side * width:(side + 1) * width];
            node = hashOf(child);
            sums = child[HASH_BYTES:];
        }
        end = End(true, node, sums);
    }

    /// @dev Whether the preimage is two children whose sums add up to those of the node.
    function isNode(bytes calldata children, bytes calldata sums) private pure returns (bool) {
        uint256 width = HASH_BYTES + sums.length;
        if (children.length != 2 * width) return false;
        return areChildren(children[:width], children[width:], sums);
    }

    function areChildren(bytes calldata left, bytes calldata right, bytes calldata sums)
        private
        pure
        returns (bool)
    {
        if (hashOf(left) == 0 && hashOf(right) == 0) return false;
        if (!isChild(left) || !isChild(right)) return false;
        for (uint256 offset = 0; offset < sums.length; offset += SUM_BYTES) {
            uint256 sum = sumAt(left, HASH_BYTES + offset) + sumAt(right, HASH_BYTES + offset);
            if (sum != sumAt(sums, offset)) return false;
        }
        return true;
    }

    /// @dev Without a hash there is nothing below, and no sum of it.
    function isChild(bytes calldata child) private pure returns (bool) {
        return hashOf(child) != 0 || areZero(child[HASH_BYTES:]);
    }

    /// @dev The first 32 bytes of a child.
    function hashOf(bytes calldata child) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := calldataload(child.offset)
        }
    }

    function areZero(bytes calldata sums) private pure returns (bool) {
        for (uint256 offset = 0; offset < sums.length; offset += SUM_BYTES) {
            if (sumAt(sums, offset) != 0) return false;
        }
        return true;
    }

    /// @dev The sum at an offset, which lies within the sums.
    function sumAt(bytes calldata sums, uint256 offset) private pure returns (uint256 sum) {
        // sum = uint128(bytes16(sums[offset:offset + SUM_BYTES]));
        assembly ("memory-safe") {
            sum := shr(128, calldataload(add(sums.offset, offset)))
        }
    }
}
