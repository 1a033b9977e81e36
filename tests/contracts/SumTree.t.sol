// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev The climb from a leaf to a checkpoint root, against the slow twin.
contract SumTreeTest {
    function rootOf(ExitLeaf calldata leaf, bytes calldata path) external pure returns (bytes32) {
        return SumTree.rootOf(leaf, path);
    }

    function _leaf(uint32 account, uint256 assets) private pure returns (ExitLeaf memory leaf) {
        uint128[] memory held = new uint128[](assets);
        for (uint256 i = 0; i < assets; ++i) {
            held[i] = uint128(1000 * i + account);
        }
        leaf = ExitLeaf(account, address(uint160(0xacc + account)), 1, account * 7, 5, 3, held);
    }

    function _leaves(uint256 count, uint256 assets) private pure returns (ExitLeaf[] memory all) {
        all = new ExitLeaf[](count);
        for (uint32 i = 0; i < count; ++i) {
            all[i] = _leaf(i, assets);
        }
    }

    function testFuzz_every_leaf_of_a_checkpoint_leads_to_its_root(
        uint8 count,
        uint8 assets,
        uint8 which
    ) public view {
        ExitLeaf[] memory all = _leaves(1 + count % 9, assets % 9);
        uint256 index = which % all.length;
        bytes memory path = CheckpointTree.path(all, index);
        bytes32 expected = CheckpointTree.checkpointRoot(CheckpointTree.root(all));
        vm.assertEq(this.rootOf(all[index], path), expected);
    }

    /// @dev Any place of the tree and full siblings at every level.
    function testFuzz_the_climb_is_that_of_the_twin(uint32 account, uint8 assets, bytes32 seed)
        public
        view
    {
        ExitLeaf memory leaf = _leaf(account % 2 ** 20, assets % 9);
        CheckpointTree.Node memory node = CheckpointTree.leafNode(leaf);
        bytes memory path = "";
        for (uint256 level = 0; level < 20; ++level) {
            CheckpointTree.Node memory sibling = CheckpointTree.empty(node.sums.length);
            sibling.hash = keccak256(abi.encode(seed, level));
            for (uint256 i = 0; i < node.sums.length; ++i) {
                sibling.sums[i] = uint120(uint256(keccak256(abi.encode(seed, level, i))));
            }
            path = bytes.concat(path, CheckpointTree.wordsOf(sibling));
            node = leaf.account >> level & 1 == 0
                ? CheckpointTree.parent(node, sibling)
                : CheckpointTree.parent(sibling, node);
        }
        vm.assertEq(this.rootOf(leaf, path), CheckpointTree.checkpointRoot(node));
    }

    function testFuzz_a_changed_byte_of_the_path_changes_the_root(uint16 place, uint8 bit)
        public
        view
    {
        ExitLeaf[] memory all = _leaves(5, 2);
        bytes memory path = CheckpointTree.path(all, 3);
        bytes32 right = this.rootOf(all[3], path);
        path[place % path.length] ^= bytes1(uint8(1 << (bit % 8)));
        // Sums that overflow are refused.
        try this.rootOf(all[3], path) returns (bytes32 other) {
            vm.assertFalse(other == right);
        } catch {}
    }

    function test_RevertWhen_the_path_is_too_short_or_too_long() public {
        ExitLeaf[] memory all = _leaves(2, 1);
        bytes memory path = CheckpointTree.path(all, 0);
        uint256 length = path.length;
        vm.assertEq(length, 20 * (32 + 16 * 4));
        bytes4 refusal = SumTree.PathLength.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, length + 1, length));
        this.rootOf(all[0], bytes.concat(path, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, length));
        this.rootOf(all[0], "");
    }

    function test_RevertWhen_the_account_lies_beyond_the_tree() public {
        ExitLeaf[] memory all = _leaves(1, 1);
        bytes memory path = CheckpointTree.path(all, 0);
        all[0].account = 2 ** 20;
        vm.expectRevert(
            abi.encodeWithSelector(SumTree.AccountOutOfRange.selector, 2 ** 20, 2 ** 20)
        );
        this.rootOf(all[0], path);
    }

    function test_RevertWhen_a_sum_overflows() public {
        ExitLeaf[] memory all = _leaves(1, 1);
        CheckpointTree.Node memory sibling = CheckpointTree.empty(4);
        sibling.sums[3] = type(uint128).max;
        bytes memory rest = new bytes(18 * 96);
        bytes memory path = bytes.concat(new bytes(96), CheckpointTree.wordsOf(sibling), rest);
        this.rootOf(all[0], path);
        all[0].collateralE8[0] = 1;
        vm.expectRevert(SumTree.SumOverflow.selector);
        this.rootOf(all[0], path);
    }
}
