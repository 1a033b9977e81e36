// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {IDemands} from "../../contracts/interfaces/IDemands.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {DemandRig} from "./support/DemandRig.sol";
import {vm} from "./support/Vm.sol";

contract DemandsRefusalsTest is DemandRig {
    function setUp() public {
        deployDemands();
    }

    function test_RevertWhen_the_batch_has_no_checkpoint() public {
        BatchHeader memory header = committed(bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoCheckpoint.selector, 1));
        demanded(ALICE, header, 0);
    }

    function test_RevertWhen_the_account_lies_beyond_the_tree() public {
        BatchHeader memory header = committed(leaves());
        vm.expectRevert(
            abi.encodeWithSelector(SumTree.AccountOutOfRange.selector, 2 ** 20, 2 ** 20)
        );
        demanded(ALICE, header, 2 ** 20);
        demanded(ALICE, header, 2 ** 20 - 1);
    }

    function test_RevertWhen_a_path_is_demanded_twice_at_once() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 4);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandExists.selector, id));
        demanded(BOB, header, 4);
    }

    function test_RevertWhen_the_header_is_not_the_one_that_was_committed() public {
        BatchHeader memory header = committed(leaves());
        bytes32 right = hashOf(header);
        header.checkpointRoot = keccak256("another");
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, hashOf(header), right)
        );
        demanded(ALICE, header, 0);
    }

    function test_RevertWhen_the_batch_is_final_or_its_window_is_over() public {
        BatchHeader memory header = committed(leaves());
        uint256 end = settlement.finalAfter(1);
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WindowOver.selector, end, end));
        demanded(ALICE, header, 0);
        CheckpointTree.Node memory root = CheckpointTree.root(leaves());
        settlement.finalise(
            header, totals, CheckpointTree.sumsOf(root), root.hash, proofOf(hashOf(header))
        );
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.NotOpen.selector, 1, BatchStatus.FINALIZED)
        );
        demanded(ALICE, header, 0);
    }

    function test_RevertWhen_nobody_demanded_what_is_shown() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = keccak256(abi.encode(hashOf(header), uint256(2)));
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerLeaf(id, header, 2);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.settleUnanswered(id, header);
    }

    function test_RevertWhen_another_account_than_the_one_asked_for_is_shown() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 2);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerLeaf(id, header, 3);
    }

    function test_RevertWhen_a_demand_is_answered_or_settled_under_another_header() public {
        BatchHeader memory header = committed(leaves());
        BatchHeader memory other = committed(leaves());
        bytes32 id = demanded(ALICE, header, 2);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerLeaf(id, other, 2);
        vm.warp(block.timestamp + REVEAL + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.settleUnanswered(id, other);
    }

    function test_RevertWhen_the_leaf_is_not_that_of_the_tree() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 2);
        ExitLeaf[] memory all = leaves();
        bytes memory path = CheckpointTree.path(all, 2);
        all[2].debtE6 += 1;
        bytes32 given = CheckpointTree.checkpointRoot(CheckpointTree.root(all));
        vm.expectRevert(
            abi.encodeWithSelector(IDemands.WrongPath.selector, given, header.checkpointRoot)
        );
        demands.answer(id, header, all[2], false, path);
    }

    function test_RevertWhen_an_empty_place_is_shown_with_a_path_of_another_length() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 9);
        ExitLeaf memory leaf = emptyLeaf(9);
        bytes memory path = CheckpointTree.path(leaves(), 9);
        leaf.collateralE8 = new uint128[](2);
        vm.expectRevert(
            abi.encodeWithSelector(SumTree.PathLength.selector, path.length, 20 * (32 + 16 * 5))
        );
        demands.answer(id, header, leaf, true, path);
    }

    function test_RevertWhen_the_sums_beside_an_empty_place_overflow() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 9);
        CheckpointTree.Node memory full = CheckpointTree.empty(4);
        (full.hash, full.sums[0]) = (keccak256("full"), type(uint128).max);
        bytes memory sibling = CheckpointTree.wordsOf(full);
        bytes memory path = bytes.concat(sibling, sibling, new bytes(18 * 96));
        vm.expectRevert(SumTree.SumOverflow.selector);
        demands.answer(id, header, emptyLeaf(9), true, path);
    }

    function test_RevertWhen_the_answer_comes_too_late() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 1);
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerTooLate.selector, until, until + 1));
        answerLeaf(id, header, 1);
    }

    function test_RevertWhen_a_demand_is_settled_that_can_still_be_answered() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 1);
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerStillOpen.selector, until, until));
        demands.settleUnanswered(id, header);
    }

    function test_RevertWhen_a_demand_is_answered_whose_batch_is_gone() public {
        BatchHeader memory header = committed(keccak256("unknown"));
        BatchHeader memory next = committed(leaves());
        bytes32 first = demanded(ALICE, header, 0);
        vm.warp(block.timestamp + 1);
        bytes32 id = demanded(BOB, next, 0);
        vm.warp(block.timestamp + REVEAL);
        demands.settleUnanswered(first, header);
        vm.expectRevert(abi.encodeWithSelector(ICourt.BatchGone.selector, 2, hashOf(next)));
        answerLeaf(id, next, 0);
    }

    function test_RevertWhen_a_demand_is_settled_twice() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 1);
        vm.warp(block.timestamp + REVEAL + 1);
        demands.settleUnanswered(id, header);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.settleUnanswered(id, header);
    }
}
