// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus, Output} from "../../contracts/types/Batch.sol";
import {INBOX_DEPOSIT, InboxEntry} from "../../contracts/types/Inbox.sol";
import {OutputTree, SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-4, L-1: anyone ends a venue that does not serve its traders, and nobody another.
contract SettlementFreezeTest is SettlementRig {
    address private constant ALICE = address(0xa11ce);
    bytes4 private constant NOT_OVERDUE = ISettlement.NotOverdue.selector;

    uint256 private since;

    function setUp() public {
        deployRig();
        since = block.timestamp;
    }

    function depositedAt(uint64 index, uint256 time) private pure returns (InboxEntry memory) {
        return InboxEntry({
            kind: INBOX_DEPOSIT,
            index: index,
            time: uint64(time),
            owner: ALICE,
            subaccount: 0,
            place: 0,
            amount: 5,
            key: address(0)
        });
    }

    function deposit() private returns (InboxEntry memory) {
        depositFor(cash, 0, ALICE, 5);
        return depositedAt(inbox.count(), block.timestamp);
    }

    function requireFrozen(uint64 final_) private view {
        vm.assertTrue(settlement.isFrozen());
        vm.assertEq(settlement.frozenAt(), block.timestamp);
        vm.assertEq(settlement.head(), final_);
        vm.assertEq(settlement.finalised(), final_);
    }

    // --- an entry that is not consumed ---

    function test_an_entry_that_nobody_consumes_freezes() public {
        InboxEntry memory entry = deposit();
        uint256 until = since + FORCED_DEADLINE;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, until, until));
        settlement.freezeCensored(entry);
        vm.warp(until + 1);
        vm.expectEmit(address(settlement));
        emit ISettlement.Frozen(ISettlement.FreezeCause.CENSORED, 0);
        vm.prank(address(0xf00));
        settlement.freezeCensored(entry);
        requireFrozen(0);
    }

    function test_an_entry_that_was_consumed_is_not_censored() public {
        InboxEntry memory first = deposit();
        commit(nextHeader());
        InboxEntry memory second = deposit();
        vm.warp(since + FORCED_DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.EntryNotNext.selector, 1, 2));
        settlement.freezeCensored(first);
        settlement.freezeCensored(second);
        requireFrozen(0);
    }

    function test_an_entry_that_the_inbox_does_not_hold_freezes_nothing() public {
        InboxEntry memory entry = deposit();
        vm.warp(since + FORCED_DEADLINE + 1);
        entry.time -= 1;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnknownEntry.selector, 1));
        settlement.freezeCensored(entry);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnknownEntry.selector, 1));
        settlement.freezeUnserved(entry);
    }

    // --- a batch that does not become final ---

    function test_an_open_batch_that_does_not_become_final_freezes() public {
        commit(nextHeader());
        uint256 until = since + LIVENESS;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, until, until));
        settlement.freezeStalled();
        vm.warp(until + 1);
        vm.expectEmit(address(settlement));
        emit ISettlement.Frozen(ISettlement.FreezeCause.STALLED, 0);
        settlement.freezeStalled();
        requireFrozen(0);
    }

    function test_a_batch_that_waits_behind_a_final_one_has_its_time() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        commit(nextHeader());
        vm.warp(since + LIVENESS);
        finalise(header);
        uint256 until = since + 2 * LIVENESS;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, until, until));
        settlement.freezeStalled();
        vm.warp(until + 1);
        settlement.freezeStalled();
        requireFrozen(1);
    }

    function test_a_venue_that_rests_is_not_stalled() public {
        settled(0);
        vm.warp(since + 100 * LIVENESS);
        vm.expectRevert(ISettlement.NothingOpen.selector);
        settlement.freezeStalled();
        BatchHeader memory header = nextHeader();
        commit(header);
        vm.expectPartialRevert(NOT_OVERDUE);
        settlement.freezeStalled();
    }

    // --- an entry that does not become final ---

    function test_an_entry_that_no_final_batch_consumes_freezes() public {
        InboxEntry memory entry = deposit();
        vm.warp(since + LIVENESS - 1);
        commit(nextHeader()); // open, and young
        vm.warp(since + LIVENESS);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, since + LIVENESS, since + LIVENESS));
        settlement.freezeUnserved(entry);
        vm.warp(since + LIVENESS + 1);
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchReverted(
            1, settlement.batchHashOf(1), 1, ISettlement.RevertCause.FREEZE
        );
        vm.expectEmit(address(settlement));
        emit ISettlement.Frozen(ISettlement.FreezeCause.UNSERVED, 0);
        settlement.freezeUnserved(entry);
        requireFrozen(0);
    }

    function test_an_entry_waits_while_batches_become_final_but_not_for_ever() public {
        InboxEntry memory entry = deposit();
        uint256 last = since + FORCED_DEADLINE + LIVENESS;
        vm.assertEq(FORCED_DEADLINE % WINDOW, 20);
        while (block.timestamp + WINDOW <= last) settleNothing();
        vm.warp(last);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, last, last));
        settlement.freezeUnserved(entry);
        vm.warp(last + 1);
        settlement.freezeUnserved(entry);
        requireFrozen(settlement.finalised());
    }

    function test_other_batches_that_become_final_give_an_entry_time() public {
        settled(0);
        InboxEntry memory entry = deposit();
        vm.warp(block.timestamp + LIVENESS - WINDOW);
        settleNothing();
        uint256 until = block.timestamp + LIVENESS;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, until, until));
        settlement.freezeUnserved(entry);
        vm.warp(until + 1);
        settlement.freezeUnserved(entry);
    }

    function test_an_entry_that_is_final_is_served() public {
        InboxEntry memory entry = deposit();
        settled(0);
        vm.warp(since + 10 * LIVENESS);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.EntryNotNext.selector, 1, 2));
        settlement.freezeUnserved(entry);
    }

    /// @dev A final batch that consumes no entry.
    function settleNothing() private {
        BatchHeader memory header = nextHeader();
        header.inboxTo = header.inboxFrom;
        header.inboxPrefixHash = inbox.prefixAt(header.inboxFrom);
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        finalise(header);
    }

    // --- a fault that is not made good ---

    function revertBatch(BatchHeader memory header) private {
        vm.startPrank(COURT);
        settlement.beginChallenge(header.batchNo, hashOf(header));
        settlement.revertChallenged(header);
        vm.stopPrank();
    }

    function test_a_fault_that_is_not_made_good_freezes() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        revertBatch(header);
        uint256 until = since + REPAIR_TIME;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, until, until));
        settlement.freezeUnrepaired();
        vm.warp(until + 1);
        vm.expectEmit(address(settlement));
        emit ISettlement.Frozen(ISettlement.FreezeCause.UNREPAIRED, 0);
        settlement.freezeUnrepaired();
        requireFrozen(0);
    }

    function test_a_fault_is_made_good_by_a_final_batch_of_its_number() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        BatchHeader memory faulty = nextHeader();
        commit(faulty);
        revertBatch(faulty);
        vm.warp(since + WINDOW);
        finalise(header);
        vm.expectRevert(abi.encodeWithSelector(NOT_OVERDUE, since + REPAIR_TIME, block.timestamp));
        settlement.freezeUnrepaired(); // the batch before it does not
        settled(0);
        vm.warp(since + 10 * REPAIR_TIME);
        vm.expectRevert(ISettlement.NothingToRepair.selector);
        settlement.freezeUnrepaired();
    }

    function test_a_second_fault_gives_no_more_time() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        revertBatch(header);
        vm.warp(since + 1);
        header = nextHeader();
        commit(header);
        revertBatch(header);
        vm.warp(since + REPAIR_TIME + 1);
        settlement.freezeUnrepaired();
        requireFrozen(0);
    }

    function test_a_venue_without_a_fault_is_not_frozen_for_one() public {
        vm.warp(since + 10 * REPAIR_TIME);
        vm.expectRevert(ISettlement.NothingToRepair.selector);
        settlement.freezeUnrepaired();
    }

    // --- after it ---

    function frozenWithOneFinal(bytes32 outputRoot) private returns (BatchHeader memory header) {
        depositFor(cash, 0, ALICE, 5);
        header = settled(outputRoot);
        deposit();
        commit(nextHeader());
        commit(nextHeader());
        vm.warp(block.timestamp + LIVENESS + 1);
        settlement.freezeStalled();
    }

    function test_a_freeze_drops_all_that_is_not_final() public {
        BatchHeader memory header = frozenWithOneFinal(0);
        requireFrozen(1);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.REVERTED);
        vm.assertEq(settlement.inboxCursor(), 1);
        vm.assertEq(settlement.finalCursor(), 1);
        vm.assertEq(settlement.lastTimeEnd(), header.timeEnd);
        vm.assertEq(settlement.lastStateRoot(), header.stateRoot);
    }

    function test_nothing_moves_the_chain_after_a_freeze() public {
        frozenWithOneFinal(0);
        BatchHeader memory header = nextHeader();
        header.inboxTo = header.inboxFrom;
        header.inboxPrefixHash = inbox.prefixAt(header.inboxFrom);
        bytes memory signature = signatureOf(header);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.VenueFrozen.selector, block.timestamp));
        vm.prank(RELAYER, RELAYER);
        settlement.commit(header, signature, LOG);
        bytes memory reason =
            abi.encodeWithSelector(ISettlement.NotOpen.selector, 2, BatchStatus.REVERTED);
        vm.expectRevert(reason);
        settlement.prove(header, "");
        vm.expectRevert(reason);
        settlement.finalise(header, totals, sums(), EXIT_ROOT, "");
        bytes32 hash = hashOf(header);
        vm.expectRevert(reason);
        vm.prank(COURT);
        settlement.beginChallenge(2, hash);
        vm.expectRevert(reason);
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(header);
    }

    function test_a_venue_freezes_once() public {
        frozenWithOneFinal(0);
        uint64 then = settlement.frozenAt();
        vm.warp(block.timestamp + FORCED_DEADLINE + 1);
        InboxEntry memory entry = depositedAt(2, since + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.VenueFrozen.selector, then));
        settlement.freezeCensored(entry);
    }

    function test_claims_of_final_batches_go_on() public {
        Output[] memory outputs = new Output[](1);
        outputs[0] = Output(1, 1, ALICE, 0, 5);
        BatchHeader memory header = frozenWithOneFinal(OutputTree.rootOf(outputs));
        settlement.claim(header, outputs[0], 0, new bytes32[](0));
        vm.assertEq(cash.balanceOf(ALICE), 5);
    }
}
