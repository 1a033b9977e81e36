// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";

/// @title Merkle
/// @notice Roots of the account tree and of list trees, from a leaf and its siblings.
/// @dev Siblings come leaf level first; bit `k` of the index says whether the node at level `k` is
/// a right child. Leaves are hashes of more than 64 bytes, so no node passes for a leaf.
library Merkle {
    /// @dev A list has at most 2**32 leaves: indices in every commitment are uint32 or smaller.
    uint256 internal constant MAX_LIST_DEPTH = 32;

    /// @notice An account proof has one sibling for each level.
    error ProofLength(uint256 length, uint256 expected);

    /// @notice A list proof is longer than any list.
    error ProofTooLong(uint256 length, uint256 limit);

    /// @notice The tree of this depth has no such leaf.
    error IndexOutOfRange(uint256 index, uint256 leaves);

    /// @notice The root of the account tree in which `leaf` is at `index`.
    function accountRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32)
    {
        require(proof.length == ACCOUNT_TREE_DEPTH, ProofLength(proof.length, ACCOUNT_TREE_DEPTH));
        return listRoot(leaf, index, proof);
    }

    /// @notice The root of the list tree in which `leaf` is at `index`.
    function listRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 root)
    {
        uint256 depth = proof.length;
        require(depth <= MAX_LIST_DEPTH, ProofTooLong(depth, MAX_LIST_DEPTH));
        require(index >> depth == 0, IndexOutOfRange(index, 1 << depth));
        root = leaf;
        for (uint256 level = 0; level < depth; ++level) {
            // root = (index >> level) & 1 == 0
            //     ? keccak256(abi.encode(root, proof[level]))
            //     : keccak256(abi.encode(proof[level], root));
            // in the scratch space instead of new memory.
            assembly ("memory-safe") {
                let place := shl(5, and(shr(level, index), 1))
                mstore(place, root)
                mstore(xor(place, 0x20), calldataload(add(proof.offset, shl(5, level))))
                root := keccak256(0x00, 0x40)
            }
        }
    }
}
