// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Batches that are dropped leave the chain as it was before them (INV-5).
contract SettlementRevertTest is SettlementRig {
    BatchHeader[] private headers;
    uint256 private since;

    function setUp() public {
        deployRig();
        since = block.timestamp;
        for (uint256 i = 0; i < 3; ++i) {
            depositFor(cash, 0, address(0xa11ce), 1);
            headers.push(nextHeader());
            headers[i].timeEnd += uint64(i);
            commit(headers[i]);
        }
    }

    function rollback(BatchHeader memory header) private {
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(header);
    }

    function requireEndOf(uint256 batchNo) private view {
        vm.assertEq(settlement.head(), batchNo);
        vm.assertEq(settlement.inboxCursor(), batchNo);
        vm.assertEq(settlement.lastTimeEnd(), batchNo == 0 ? 0 : headers[batchNo - 1].timeEnd);
        vm.assertEq(
            settlement.lastStateRoot(), batchNo == 0 ? bytes32(0) : headers[batchNo - 1].stateRoot
        );
    }

    function test_a_rollback_returns_to_the_batch_before() public {
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchReverted(2, hashOf(headers[1]), 3, ISettlement.RevertCause.ROLLBACK);
        rollback(headers[1]);
        requireEndOf(1);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.REVERTED);
        vm.assertEq(settlement.batchHashOf(2), bytes32(0));
        (BatchStatus status, bytes32 hash) = settlement.batchOf(3);
        vm.assertTrue(status == BatchStatus.REVERTED);
        vm.assertEq(hash, hashOf(headers[2]));
        vm.assertEq(settlement.committedAt(2), 0);
        vm.assertEq(settlement.finalAfter(2), 0);
    }

    function test_a_rollback_may_reach_the_beginning() public {
        rollback(headers[0]);
        requireEndOf(0);
    }

    function test_a_rollback_may_reach_what_is_final() public {
        vm.warp(since + WINDOW);
        finalise(headers[0]);
        rollback(headers[1]);
        requireEndOf(1);
    }

    /// @dev The number of batches that are open may reach its limit right behind a final one, whose
    /// end must then still be known.
    function test_the_end_of_the_last_final_batch_is_known_behind_a_full_chain() public {
        vm.warp(since + WINDOW);
        finalise(headers[0]);
        depositFor(cash, 0, address(0xa11ce), 1);
        commit(nextHeader());
        vm.assertEq(settlement.head() - settlement.finalised(), MAX_OPEN);
        rollback(headers[1]);
        requireEndOf(1);
    }

    function test_a_number_is_used_again() public {
        rollback(headers[1]);
        BatchHeader memory again = nextHeader();
        again.stateRoot = keccak256("again");
        commit(again);
        vm.assertEq(settlement.batchHashOf(2), hashOf(again));
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.COMMITTED);
        vm.warp(since + WINDOW);
        finalise(headers[0]);
        bytes memory reason = abi.encodeWithSelector(
            ISettlement.WrongHeader.selector, 2, hashOf(headers[1]), hashOf(again)
        );
        bytes memory proof = proofOf(hashOf(headers[1]));
        vm.expectRevert(reason);
        settlement.finalise(headers[1], totals, sums(), EXIT_ROOT, proof);
        finalise(again);
    }

    function test_what_was_proven_of_a_dropped_batch_does_not_serve_another() public {
        settlement.prove(headers[1], proofOf(hashOf(headers[1])));
        rollback(headers[1]);
        BatchHeader memory again = nextHeader();
        again.stateRoot = keccak256("again");
        commit(again);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.COMMITTED);
    }

    function test_only_the_sequencer_rolls_back() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlement.NotSequencer.selector, address(this), vm.addr(SEQUENCER_KEY)
            )
        );
        settlement.rollback(headers[1]);
    }

    function test_only_open_batches_are_rolled_back() public {
        vm.warp(since + WINDOW);
        finalise(headers[0]);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.NotOpen.selector, 1, BatchStatus.FINALIZED)
        );
        rollback(headers[0]);
        bytes32 committed = hashOf(headers[1]);
        headers[1].prevStateRoot = keccak256("mine");
        bytes memory reason = abi.encodeWithSelector(
            ISettlement.WrongHeader.selector, 2, hashOf(headers[1]), committed
        );
        vm.expectRevert(reason);
        rollback(headers[1]);
    }

    /// @dev Whoever is accused does not take the case away.
    function test_what_is_challenged_is_not_rolled_back() public {
        vm.prank(COURT);
        settlement.beginChallenge(3, hashOf(headers[2]));
        bytes memory reason = abi.encodeWithSelector(ISettlement.ChallengeOpen.selector, 3);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(reason);
            rollback(headers[i]);
        }
        vm.prank(COURT);
        settlement.endChallenge(3, hashOf(headers[2]), 0);
        rollback(headers[2]);
        requireEndOf(2);
    }

    // --- liquidations that nobody verified ---

    function commitLiquidations() private returns (BatchHeader memory header) {
        rollback(headers[2]);
        header = nextHeader();
        header.liquidationCount = 2;
        commit(header);
        answers.setVerifiedCount(hashOf(header), 1);
        since = block.timestamp;
    }

    function test_anyone_drops_a_batch_whose_liquidations_nobody_verified() public {
        BatchHeader memory header = commitLiquidations();
        uint256 until = since + VERIFY_WINDOW;
        vm.warp(until - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.VerificationOpen.selector, until, until - 1)
        );
        settlement.revertUnverified(header);
        vm.warp(until);
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchReverted(3, hashOf(header), 3, ISettlement.RevertCause.UNVERIFIED);
        vm.prank(address(0xf00));
        settlement.revertUnverified(header);
        requireEndOf(2);
    }

    function test_a_batch_that_was_verified_is_not_dropped() public {
        BatchHeader memory header = commitLiquidations();
        answers.setVerifiedCount(hashOf(header), 2);
        vm.warp(since + VERIFY_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NothingUnverified.selector, 3));
        settlement.revertUnverified(header);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NothingUnverified.selector, 1));
        settlement.revertUnverified(headers[0]);
    }

    function test_a_challenged_batch_is_not_dropped_as_unverified() public {
        BatchHeader memory header = commitLiquidations();
        vm.prank(COURT);
        settlement.beginChallenge(3, hashOf(header));
        vm.warp(since + VERIFY_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.ChallengeOpen.selector, 3));
        settlement.revertUnverified(header);
    }

    function test_another_header_drops_nothing_as_unverified() public {
        BatchHeader memory header = commitLiquidations();
        vm.warp(since + VERIFY_WINDOW);
        bytes32 committed = hashOf(header);
        header.liquidationCount = 5;
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 3, hashOf(header), committed)
        );
        settlement.revertUnverified(header);
        header.batchNo = 4;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOpen.selector, 4, BatchStatus.NONE));
        settlement.revertUnverified(header);
    }
}
