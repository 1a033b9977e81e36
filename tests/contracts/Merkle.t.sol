// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library the calldata that it reads.
contract MerkleHarness {
    function accountRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.accountRoot(leaf, index, proof);
    }

    function listRoot(bytes32 leaf, uint256 index, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return Merkle.listRoot(leaf, index, proof);
    }
}

contract MerkleTest {
    MerkleHarness private _merkle = new MerkleHarness();

    function testFuzz_every_leaf_of_a_list_leads_to_its_root(bytes32 seed, uint8 size) public view {
        uint256 count = 1 + size % 21;
        bytes32[] memory leaves = words(seed, count);
        bytes32 root = MerkleTree.root(leaves);
        for (uint256 i = 0; i < count; ++i) {
            bytes32[] memory proof = MerkleTree.proof(leaves, i);
            vm.assertEq(_merkle.listRoot(leaves[i], i, proof), root);
        }
    }

    function test_the_root_of_one_leaf_is_the_leaf() public view {
        vm.assertEq(_merkle.listRoot(keccak256("leaf"), 0, new bytes32[](0)), keccak256("leaf"));
    }

    function testFuzz_an_account_climbs_to_its_root(bytes32 seed, uint256 index) public view {
        index %= 1 << 20;
        bytes32[] memory proof = words(seed, 20);
        vm.assertEq(_merkle.accountRoot(seed, index, proof), MerkleTree.climb(seed, index, proof));
    }

    function testFuzz_another_place_or_sibling_leads_to_another_root(
        bytes32 seed,
        uint256 index,
        uint256 other,
        uint8 level
    ) public view {
        index %= 1 << 20;
        other %= 1 << 20;
        vm.assume(index != other);
        bytes32[] memory proof = words(seed, 20);
        bytes32 root = _merkle.accountRoot(seed, index, proof);
        vm.assertTrue(_merkle.accountRoot(seed, other, proof) != root);
        proof[level % 20] = keccak256(abi.encode(proof[level % 20]));
        vm.assertTrue(_merkle.accountRoot(seed, index, proof) != root);
    }

    function test_an_account_proof_has_twenty_siblings() public {
        vm.expectRevert(abi.encodeWithSelector(Merkle.ProofLength.selector, 19, 20));
        _merkle.accountRoot(0, 0, new bytes32[](19));
        vm.expectRevert(abi.encodeWithSelector(Merkle.ProofLength.selector, 21, 20));
        _merkle.accountRoot(0, 0, new bytes32[](21));
    }

    function test_an_index_beyond_the_tree_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexOutOfRange.selector, 1 << 20, 1 << 20));
        _merkle.accountRoot(0, 1 << 20, new bytes32[](20));
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexOutOfRange.selector, 1, 1));
        _merkle.listRoot(0, 1, new bytes32[](0));
    }

    function test_a_proof_longer_than_any_list_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Merkle.ProofTooLong.selector, 33, 32));
        _merkle.listRoot(0, 0, new bytes32[](33));
    }

    function words(bytes32 seed, uint256 count) private pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = keccak256(abi.encode(seed, i));
        }
    }
}
