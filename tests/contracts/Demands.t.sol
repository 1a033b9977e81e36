// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDemands} from "../../contracts/interfaces/IDemands.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {ExitLeaf, ExitSums} from "../../contracts/types/Checkpoint.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {DemandRig} from "./support/DemandRig.sol";
import {vm} from "./support/Vm.sol";

contract DemandsTest is DemandRig {
    function setUp() public {
        deployDemands();
    }

    function test_a_demand_takes_the_bond_and_makes_the_batch_challenged() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = keccak256(abi.encode(hashOf(header), uint256(3)));
        vm.expectEmit(COURT);
        emit IDemands.Demanded(id, 1, ALICE, hashOf(header), 3, block.timestamp + REVEAL);
        vm.assertEq(demanded(ALICE, header, 3), id);
        vm.assertEq(cash.balanceOf(COURT), BOND);
        assertStatus(1, BatchStatus.CHALLENGED);
        IDemands.Demand memory open = demands.demandOf(id);
        vm.assertEq(open.challenger, ALICE);
        vm.assertEq(open.batchHash, hashOf(header));
        vm.assertEq(open.openedAt, block.timestamp);
        vm.assertEq(open.committedAt, settlement.committedAt(1));
    }

    function test_an_answer_shows_the_path_takes_the_bond_and_lets_the_batch_become_final() public {
        BatchHeader memory header = committed(leaves());
        uint64 end = settlement.finalAfter(1);
        bytes32 id = demanded(ALICE, header, 3);
        vm.warp(block.timestamp + 7);
        ExitLeaf[] memory all = leaves();
        bytes memory path = CheckpointTree.path(all, 3);
        vm.expectEmit(COURT);
        emit IDemands.Answered(id, 1, OPERATOR, hashOf(header), all[3], false, path);
        answerLeaf(id, header, 3);

        assertStatus(1, BatchStatus.COMMITTED);
        vm.assertEq(settlement.finalAfter(1), end + 7);
        vm.assertEq(demands.bondOf(OPERATOR), BOND);
        vm.assertEq(demands.bondOf(ALICE), 0);
        vm.prank(OPERATOR);
        vm.assertEq(demands.claimBond(), BOND);
        vm.warp(end + 7);
        CheckpointTree.Node memory root = CheckpointTree.root(all);
        ExitSums memory sums = CheckpointTree.sumsOf(root);
        settlement.finalise(header, totals, sums, root.hash, proofOf(hashOf(header)));
        assertStatus(1, BatchStatus.FINALIZED);
    }

    function test_the_last_second_is_in_time_for_an_answer() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 0);
        vm.warp(block.timestamp + REVEAL);
        answerLeaf(id, header, 0);
        assertStatus(1, BatchStatus.COMMITTED);
    }

    function test_what_nobody_shows_reverts_the_batch_and_pays_bond_and_bounty() public {
        BatchHeader memory header = committed(keccak256("nobody knows what is below"));
        committed(leaves());
        bytes32 id = demanded(ALICE, header, 0);
        vm.warp(block.timestamp + REVEAL + 1);
        vm.expectEmit(COURT);
        emit IDemands.Unanswered(id, 1, ALICE, MINIMUM_STAKE / 2);
        vm.prank(BOB);
        demands.settleUnanswered(id, header);

        assertStatus(1, BatchStatus.REVERTED);
        assertStatus(2, BatchStatus.REVERTED);
        vm.assertEq(settlement.head(), 0);
        vm.assertEq(registry.rewardOf(ALICE), MINIMUM_STAKE / 2);
        vm.assertEq(registry.owedToInsurance(), MINIMUM_STAKE / 2);
        vm.assertEq(demands.bondOf(ALICE), BOND);
        vm.assertEq(demands.demandOf(id).openedAt, 0);
    }

    /// @dev The root of a tree one of whose inner nodes claims to hold more than its children.
    function test_below_a_node_whose_sums_do_not_add_up_nothing_can_be_shown() public {
        ExitLeaf[] memory all = leaves();
        CheckpointTree.Node memory left = CheckpointTree.leafNode(all[0]);
        CheckpointTree.Node memory node =
            CheckpointTree.parent(left, CheckpointTree.leafNode(all[1]));
        node.sums[0] += 1;
        CheckpointTree.Node memory nothing = CheckpointTree.empty(4);
        for (uint256 k = 1; k < 20; ++k) {
            node = CheckpointTree.parent(node, nothing);
        }
        BatchHeader memory header = committed(CheckpointTree.checkpointRoot(node));
        bytes32 id = demanded(ALICE, header, 0);
        ExitLeaf[] memory two = leavesOf(2);
        bytes memory path = CheckpointTree.path(two, 0);
        bytes32 without = CheckpointTree.checkpointRoot(CheckpointTree.root(two));
        vm.expectRevert(
            abi.encodeWithSelector(IDemands.WrongPath.selector, without, header.checkpointRoot)
        );
        demands.answer(id, header, two[0], false, path);
    }

    function test_the_path_of_an_empty_place_can_be_shown() public {
        BatchHeader memory header = committed(leaves());
        ExitLeaf[] memory all = leaves();
        bytes32 id = demanded(ALICE, header, uint32(ACCOUNTS));
        bytes memory path = CheckpointTree.path(all, ACCOUNTS);
        demands.answer(id, header, emptyLeaf(uint32(ACCOUNTS)), true, path);
        assertStatus(1, BatchStatus.COMMITTED);
    }

    function testFuzz_every_place_of_any_tree_can_be_shown(uint256 count, uint256 place) public {
        ExitLeaf[] memory all = leavesOf(1 + count % 40);
        uint32 account = uint32(place % 3 == 0 ? place % 2 ** 20 : place % (all.length + 3));
        BatchHeader memory header = committed(all);
        bytes32 id = demanded(ALICE, header, account);
        bool isEmpty = account >= all.length;
        ExitLeaf memory leaf = isEmpty ? emptyLeaf(account) : all[account];
        demands.answer(id, header, leaf, isEmpty, CheckpointTree.path(all, account));
        assertStatus(1, BatchStatus.COMMITTED);
    }

    /// @dev A place is not shown as what it is not, nor by a path that is not its own.
    function testFuzz_nothing_else_is_an_answer(uint256 seed) public {
        ExitLeaf[] memory all = leaves();
        uint32 account = uint32(seed % (ACCOUNTS + 2));
        BatchHeader memory header = committed(all);
        bytes32 id = demanded(ALICE, header, account);
        bool isEmpty = account >= ACCOUNTS;
        ExitLeaf memory leaf = isEmpty ? emptyLeaf(account) : all[account];
        bytes memory path = CheckpointTree.path(all, account);
        vm.expectRevert();
        demands.answer(id, header, leaf, !isEmpty, path);
        path[(seed >> 32) % path.length] ^= bytes1(uint8(1 << ((seed >> 16) % 8)));
        vm.expectRevert();
        demands.answer(id, header, leaf, isEmpty, path);
        assertStatus(1, BatchStatus.CHALLENGED);
    }

    function test_each_demand_is_answered_by_itself() public {
        BatchHeader memory header = committed(leaves());
        bytes32 one = demanded(ALICE, header, 1);
        bytes32 other = demanded(BOB, header, 2);
        answerLeaf(one, header, 1);
        assertStatus(1, BatchStatus.CHALLENGED);
        vm.assertEq(demands.demandOf(other).challenger, BOB);
        answerLeaf(other, header, 2);
        assertStatus(1, BatchStatus.COMMITTED);
        vm.assertEq(demands.bondOf(OPERATOR), 2 * BOND);
    }

    function test_what_was_answered_may_be_demanded_again() public {
        BatchHeader memory header = committed(leaves());
        bytes32 id = demanded(ALICE, header, 1);
        answerLeaf(id, header, 1);
        vm.assertEq(demanded(BOB, header, 1), id);
        vm.assertEq(demands.demandOf(id).challenger, BOB);
    }

    function test_who_demanded_of_a_batch_that_fell_with_another_gets_the_bond_back() public {
        BatchHeader memory header = committed(keccak256("unknown"));
        BatchHeader memory next = committed(leaves());
        bytes32 first = demanded(ALICE, header, 0);
        bytes32 id = demanded(BOB, next, 0);
        vm.warp(block.timestamp + REVEAL + 1);
        demands.settleUnanswered(first, header);
        vm.expectEmit(COURT);
        emit IDemands.DemandClosed(id, 2);
        demands.settleUnanswered(id, next);
        vm.assertEq(demands.bondOf(BOB), BOND);
        vm.assertEq(registry.rewardOf(BOB), 0);
    }

    function test_a_demand_does_not_count_against_the_same_header_committed_again() public {
        BatchHeader memory header = committed(leaves());
        bytes32 stale = demanded(BOB, header, 1);
        bytes32 first = demanded(ALICE, header, 0);
        vm.warp(block.timestamp + REVEAL + 1);
        demands.settleUnanswered(first, header);
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        commit(header);
        demanded(ALICE, header, 0);
        demands.settleUnanswered(stale, header);
        vm.assertEq(demands.bondOf(BOB), BOND);
        assertStatus(1, BatchStatus.CHALLENGED);
    }

    function test_demands_stay_below_their_ceilings() public {
        BatchHeader memory header = committed(leaves());
        ExitLeaf[] memory all = leaves();
        (bytes memory path, bytes memory beside) =
            (CheckpointTree.path(all, 3), CheckpointTree.path(all, 9));
        demanded(BOB, header, 1);
        vm.startPrank(ALICE);
        uint256 start = gasleft();
        bytes32 id = demands.demand(header, 3);
        uint256 opening = start - gasleft();
        start = gasleft();
        demands.answer(id, header, all[3], false, path);
        uint256 answering = start - gasleft();
        id = demands.demand(header, 9);
        start = gasleft();
        demands.answer(id, header, emptyLeaf(9), true, beside);
        uint256 empty = start - gasleft();
        id = demands.demand(header, 4);
        vm.warp(block.timestamp + REVEAL + 1);
        start = gasleft();
        demands.settleUnanswered(id, header);
        uint256 settling = start - gasleft();
        vm.stopPrank();
        vm.snapshotValue("challenge", "demand.open", opening);
        vm.snapshotValue("challenge", "demand.answer", answering);
        vm.snapshotValue("challenge", "demand.answer_empty", empty);
        vm.snapshotValue("challenge", "demand.settle", settling);
        vm.assertLe(opening, 110_000);
        vm.assertLe(answering, 110_000);
        vm.assertLe(empty, 110_000);
        vm.assertLe(settling, 140_000);
    }
}
