// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev CHALLENGED and back, as the court wants it.
contract SettlementDisputesTest is SettlementRig {
    BatchHeader private first;
    BatchHeader private second;
    uint256 private since;

    function setUp() public {
        deployRig();
        first = nextHeader();
        commit(first);
        second = nextHeader();
        commit(second);
        since = block.timestamp;
    }

    function begin(BatchHeader memory header) private {
        vm.prank(COURT);
        settlement.beginChallenge(header.batchNo, hashOf(header));
    }

    function end(BatchHeader memory header, uint64 spent) private returns (bool) {
        vm.prank(COURT);
        return settlement.endChallenge(header.batchNo, hashOf(header), spent);
    }

    function uphold(BatchHeader memory header) private {
        vm.prank(COURT);
        settlement.revertChallenged(header);
    }

    function test_a_challenge_holds_a_batch_up_until_it_ends() public {
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchChallenged(1, hashOf(first), 1);
        begin(first);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.CHALLENGED);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.COMMITTED);
        vm.warp(since + WINDOW);
        bytes memory proof = proofOf(hashOf(first));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.ChallengeOpen.selector, 1));
        settlement.finalise(first, totals, sums(), EXIT_ROOT, proof);

        vm.expectEmit(address(settlement));
        emit ISettlement.ChallengeEnded(1, hashOf(first), 0, 9);
        vm.assertTrue(end(first, 9));
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.COMMITTED);
        vm.assertEq(settlement.finalAfter(1), since + WINDOW + 9);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlement.WindowOpen.selector, since + WINDOW + 9, since + WINDOW
            )
        );
        settlement.finalise(first, totals, sums(), EXIT_ROOT, proof);
        vm.warp(since + WINDOW + 9);
        finalise(first);
    }

    function test_a_proven_batch_is_proven_again_after_a_challenge() public {
        settlement.prove(first, proofOf(hashOf(first)));
        begin(first);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.CHALLENGED);
        end(first, 0);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.PROVEN);
    }

    function test_a_batch_is_challenged_as_long_as_one_challenge_is_open() public {
        begin(first);
        begin(first);
        end(first, 1);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.CHALLENGED);
        end(first, 2);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.COMMITTED);
        vm.assertEq(settlement.finalAfter(1), since + WINDOW + 3);
    }

    function test_challenges_delay_a_batch_by_so_much_in_all() public {
        begin(first);
        begin(first);
        end(first, MAX_EXTENSION - 1);
        vm.assertEq(settlement.finalAfter(1), since + WINDOW + MAX_EXTENSION - 1);
        end(first, type(uint64).max);
        vm.assertEq(settlement.finalAfter(1), since + WINDOW + MAX_EXTENSION);
    }

    function test_a_challenge_begins_before_the_window_ends() public {
        vm.warp(since + WINDOW - 1);
        begin(first);
        vm.warp(since + WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WindowOver.selector, since + WINDOW, since + WINDOW)
        );
        begin(second);
    }

    function test_another_batch_is_not_challenged() public {
        bytes32 other = hashOf(second);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, other, hashOf(first))
        );
        vm.prank(COURT);
        settlement.beginChallenge(1, other);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOpen.selector, 3, BatchStatus.NONE));
        vm.prank(COURT);
        settlement.beginChallenge(3, other);
    }

    function test_a_fault_drops_the_batch_and_all_after_it() public {
        begin(second);
        begin(first);
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchReverted(1, hashOf(first), 2, ISettlement.RevertCause.CHALLENGE);
        uphold(first);
        vm.assertEq(settlement.head(), 0);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.REVERTED);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.REVERTED);
        // The other challenge finds nothing to end, then or after the number is used again.
        vm.assertFalse(end(second, 1));
        first.stateRoot = keccak256("repaired");
        commit(first);
        second = nextHeader();
        commit(second);
        vm.assertFalse(end(second, 1));
        vm.assertFalse(end(first, 1));
        // A second later, so that it is told apart from the challenged one in its place.
        vm.assertEq(settlement.finalAfter(2), since + WINDOW + 1);
    }

    function test_the_hash_of_a_dropped_batch_ends_no_challenge_of_its_successor() public {
        begin(first);
        BatchHeader memory dropped = first;
        uphold(first);
        first.stateRoot = keccak256("repaired");
        commit(first);
        begin(first);
        vm.assertFalse(end(dropped, 1));
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.CHALLENGED);
    }

    /// @dev The sequencer may commit the very same batch again.
    function test_a_batch_that_is_not_challenged_has_no_challenge_to_end() public {
        vm.assertFalse(end(first, 1));
        begin(first);
        uphold(first);
        commit(first);
        vm.assertFalse(end(first, 1));
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.COMMITTED);
    }

    function test_a_final_batch_has_no_challenge_to_end() public {
        vm.warp(since + WINDOW);
        finalise(first);
        vm.assertFalse(end(first, 1));
    }

    function test_only_what_is_challenged_is_found_faulty() public {
        begin(first);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotChallenged.selector, 2));
        uphold(second);
        second.stateRoot = 0;
        bytes32 committed = settlement.batchHashOf(2);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 2, hashOf(second), committed)
        );
        uphold(second);
        uphold(first);
        bytes4 refusal = ISettlement.NotOpen.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, BatchStatus.REVERTED));
        uphold(first);
    }

    function test_only_the_court_judges() public {
        bytes32 hash = hashOf(first);
        bytes memory reason = abi.encodeWithSelector(ISettlement.NotCourt.selector, address(this));
        vm.expectRevert(reason);
        settlement.beginChallenge(1, hash);
        begin(first);
        vm.expectRevert(reason);
        settlement.endChallenge(1, hash, 0);
        vm.expectRevert(reason);
        settlement.revertChallenged(first);
    }
}
