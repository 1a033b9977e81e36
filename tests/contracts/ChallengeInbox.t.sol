// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HolderJudge} from "../../contracts/challenge/HolderJudge.sol";
import {InboxJudge} from "../../contracts/challenge/InboxJudge.sol";
import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {HolderEvidence} from "../../contracts/types/ContentEvidence.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {EntryEvidence, ListedEvidence} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev The inbox is real; the test is its vault and its settlement contract.
contract ChallengeInboxTest is ChallengeScenario {
    bool public constant isFrozen = false;
    uint256 public constant collateralCount = 1;

    Inbox private _inbox;
    InboxJudge private _judge;

    function setUp() public {
        _inbox = new Inbox(address(this), address(this));
        HolderJudge holders = new HolderJudge(ISettlement(address(this)));
        _judge = new InboxJudge(address(_inbox), address(holders));
        vm.warp(ENTERED);
        _inbox.push(ALICE, 0, 0, 1000e6);
        _inbox.push(BOB, 1, 1, 5e8);
        vm.prank(ALICE);
        _inbox.grantKey(KEY, ENTERED * 2);
        vm.prank(CAROL);
        _inbox.forceWithdraw(0, 0, 1);
        _inbox.push(CAROL, 0, 1, 7e8);
        vm.startPrank(BOB);
        _inbox.forceCancelAll(1);
        _inbox.forceWithdraw(1, 1, type(uint128).max);
        vm.stopPrank();
    }

    // Rule 1: entry.

    function test_records_that_consume_the_inbox_in_order_are_no_fault() public view {
        Draft memory first = firstBatch();
        for (uint256 i = 0; i < first.count; ++i) {
            uint8 kind = uint8(first.frames[i][20]);
            if (kind == 2 || kind == 12) vm.assertFalse(isEntryFaulty(first, i));
        }
        Draft memory second = secondBatch(first);
        vm.assertFalse(isEntryFaulty(second, IN_DOUBT));
    }

    function test_an_altered_entry_is_a_fault() public view {
        for (uint256 field = 0; field < 8; ++field) {
            InboxEntry memory e = entry(4);
            if (field == 0) e.kind = 3;
            if (field == 1) e.time += 1;
            if (field == 2) e.owner = ALICE;
            if (field == 3) e.subaccount = 1;
            if (field == 4) e.place = 1;
            if (field == 5) e.amount = 2;
            if (field == 6) e.key = KEY;
            vm.assertTrue(isForcedFaulty(e) != (field == 7));
        }
    }

    function test_an_entry_skipped_or_doubled_is_a_fault() public view {
        vm.assertTrue(isForcedFaulty(entry(6)));
        vm.assertTrue(isForcedFaulty(entry(3)));
    }

    function test_an_entry_that_the_inbox_does_not_have_is_a_fault() public view {
        Draft memory d = secondBatch(firstBatch());
        InboxEntry memory e = entry(7);
        e.index = 8;
        replace(d, IN_DOUBT, 12, TraceWords.forcedPayload(e));
        d.before.inboxCursor = 7;
        vm.assertTrue(isEntryFaulty(relinked(d, 7), IN_DOUBT));
    }

    function test_a_deposit_in_the_form_of_a_forced_operation_is_a_fault() public view {
        Draft memory d = firstBatch();
        replace(d, FIRST_DEPOSIT, 12, TraceWords.forcedPayload(entry(1)));
        vm.assertTrue(isEntryFaulty(d, FIRST_DEPOSIT));
    }

    function test_RevertWhen_the_record_consumes_no_entry() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(InboxJudge.OtherEntry.selector, 5, 0));
        isEntryFaulty(d, REPORT);
    }

    // Rule 2: keys.

    function test_a_grant_that_came_to_nothing_is_a_fault() public view {
        Draft memory d = firstBatch();
        vm.assertFalse(isKeyFaulty(d, GRANT));
        d.steps[GRANT].effectsHash = keccak256(TraceWords.noop(TraceWords.NOBODY, 1));
        seal(d);
        vm.assertTrue(isKeyFaulty(d, GRANT));
    }

    function test_RevertWhen_the_entry_is_about_no_key() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(InboxJudge.OtherEntry.selector, 12, 3));
        isKeyFaulty(d, CANCEL_ALL);
    }

    // Rule 3: listed.

    function test_a_withdrawal_turned_down_for_an_asset_that_accounts_have_is_a_fault()
        public
        view
    {
        vm.assertTrue(isListedFaulty(InboxEntry(2, 6, ENTERED, BOB, 1, 0, 1, address(0)), 2));
        vm.assertTrue(isListedFaulty(InboxEntry(2, 6, ENTERED, BOB, 1, 1, 1, address(0)), 3));
        vm.assertFalse(isListedFaulty(InboxEntry(2, 6, ENTERED, BOB, 1, 2, 1, address(0)), 3));
    }

    /// @dev A set without collateral gives every account a place for one asset, which is not listed.
    function test_room_for_one_asset_that_nobody_holds_does_not_say_that_it_is_listed()
        public
        view
    {
        vm.assertFalse(isListedFaulty(InboxEntry(2, 6, ENTERED, BOB, 1, 1, 1, address(0)), 2));
    }

    function test_a_close_turned_down_for_an_instrument_that_is_held_is_a_fault() public view {
        InboxEntry memory e = InboxEntry(4, 6, ENTERED, CAROL, 0, INSTRUMENT, 1, address(0));
        vm.assertTrue(isListedFaulty(e, 2));
        vm.assertFalse(isListedFaulty(e, 0));
        e.place = INSTRUMENT + 1;
        vm.assertFalse(isListedFaulty(e, 2));
    }

    function test_a_cancel_all_turned_down_as_not_listed_is_a_fault() public view {
        vm.assertTrue(isListedFaulty(entry(6), 2));
    }

    function test_RevertWhen_the_entry_was_turned_down_for_another_reason() public {
        Draft memory d = firstBatch();
        ListedEvidence memory e = ListedEvidence(recordOf(d, UNKNOWN), holderAfter(d, 7, 2));
        vm.expectRevert(InboxJudge.NotTurnedDown.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    function test_RevertWhen_the_record_that_was_turned_down_is_a_deposit() public {
        Draft memory d = firstBatch();
        ListedEvidence memory e = ListedEvidence(recordOf(d, RETURNED), holderAfter(d, 7, 2));
        vm.expectRevert(abi.encodeWithSelector(InboxJudge.OtherEntry.selector, 2, 0));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    function test_RevertWhen_nobody_is_shown_to_hold_it() public {
        Draft memory d = turnedDown(entry(6));
        ListedEvidence memory e =
            ListedEvidence(recordOf(d, CANCEL_ALL), holderAfter(d, RETURNED, 9));
        vm.expectRevert(abi.encodeWithSelector(Openings.LeafCount.selector, 0));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    // Rule 4: what is owed to the holder.

    function test_an_unknown_owner_who_has_an_account_is_a_fault() public view {
        Draft memory d = firstBatch();
        InboxEntry memory e = entry(4);
        e.owner = ALICE;
        HolderEvidence memory shown;
        shown.rule = 1;
        shown.record = recordOf(d, UNKNOWN);
        shown.holder = holderAfter(d, WITHDRAWAL, 2);
        vm.assertFalse(_judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(shown))));
        replace(d, UNKNOWN, 12, TraceWords.forcedPayload(e));
        shown.record = recordOf(d, UNKNOWN);
        vm.assertTrue(_judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(shown))));
    }

    // What does not belong.

    function test_RevertWhen_the_entry_is_not_that_of_the_record() public {
        Draft memory d = firstBatch();
        EntryEvidence memory e = EntryEvidence(pairOf(d, UNKNOWN), d.frames[FIRST_DEPOSIT]);
        vm.expectPartialRevert(Openings.WrongFrame.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
        e.frame = d.frames[UNKNOWN];
        e.pair.previous.inboxCursor += 1;
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function test_RevertWhen_what_was_turned_down_is_not_of_the_batch() public {
        Draft memory d = turnedDown(entry(6));
        ListedEvidence memory e =
            ListedEvidence(recordOf(d, CANCEL_ALL), holderAfter(d, RETURNED, 2));
        e.holder.leaf[0].cashE6 += 1;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
        e.holder.leaf[0].cashE6 -= 1;
        e.record.effects = bytes.concat(d.effects[CANCEL_ALL], d.effects[CANCEL_ALL]);
        vm.expectPartialRevert(Effects.WrongEffects.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    // Refusals.

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 5));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(5), uint256(0x20)));
    }

    function test_RevertWhen_an_address_is_missing() public {
        vm.expectRevert(InboxJudge.ZeroAddress.selector);
        new InboxJudge(address(0), address(1));
        vm.expectRevert(InboxJudge.ZeroAddress.selector);
        new InboxJudge(address(1), address(0));
    }

    function isEntryFaulty(Draft memory d, uint256 i) private view returns (bool) {
        EntryEvidence memory e = EntryEvidence(pairOf(d, i), d.frames[i]);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function isKeyFaulty(Draft memory d, uint256 i) private view returns (bool) {
        EntryEvidence memory e = EntryEvidence(pairOf(d, i), d.frames[i]);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    /// @dev Another entry in place of entry 4.
    function isForcedFaulty(InboxEntry memory e) private view returns (bool) {
        Draft memory d = firstBatch();
        replace(d, UNKNOWN, 12, TraceWords.forcedPayload(e));
        return isEntryFaulty(d, UNKNOWN);
    }

    function turnedDown(InboxEntry memory e) private pure returns (Draft memory d) {
        d = firstBatch();
        d.effects[CANCEL_ALL] = TraceWords.noop(TraceWords.NOBODY, 7);
        d.steps[CANCEL_ALL].effectsHash = keccak256(d.effects[CANCEL_ALL]);
        replace(d, CANCEL_ALL, 12, TraceWords.forcedPayload(e));
    }

    function isListedFaulty(InboxEntry memory e, uint32 account) private view returns (bool) {
        Draft memory d = turnedDown(e);
        ListedEvidence memory shown =
            ListedEvidence(recordOf(d, CANCEL_ALL), holderAfter(d, RETURNED, account));
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(shown)));
    }

    function replace(Draft memory d, uint256 i, uint8 kind, bytes memory payload) private pure {
        uint64 seq = uint64(bytes8(d.frames[i]));
        d.frames[i] = TraceWords.frame(seq, TIME + seq * 1e9, FENCE, kind, payload);
        d.steps[i].frameHash = keccak256(d.frames[i]);
        seal(d);
    }

    /// @dev The batch behind a batch that consumed so many entries.
    function relinked(Draft memory d, uint64 cursor) private pure returns (Draft memory) {
        Draft memory first = firstBatch();
        first.steps[first.count - 1].inboxCursor = cursor;
        seal(first);
        d.previousHeader[0] = first.header;
        d.before = first.steps[first.count - 1];
        d.beforeProof = stepProof(first, first.count - 1);
        d.header.prevBatchHash = hashOf(first.header);
        return d;
    }
}
