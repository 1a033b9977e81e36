// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepJudge} from "../../contracts/challenge/StepJudge.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {StepOpening} from "../../contracts/types/Evidence.sol";
import {
    LinkEvidence,
    ShapeEvidence,
    WordsEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeStepTest is ChallengeScenario {
    StepJudge private _judge = new StepJudge();

    function test_no_record_of_an_honest_batch_is_at_fault() public view {
        Draft memory first = firstBatch();
        for (uint256 i = 0; i < first.count; ++i) {
            assertSound(first, i);
        }
        Draft memory second = secondBatch(first);
        for (uint256 i = 0; i < second.count; ++i) {
            assertSound(second, i);
        }
        vm.assertFalse(_judge.isFaulty(first.header, shape(first, first.count - 1)));
        vm.assertFalse(_judge.isFaulty(second.header, shape(second, second.count - 1)));
    }

    function assertSound(Draft memory d, uint256 i) private view {
        vm.assertFalse(isLinkFaulty(d, i));
        vm.assertFalse(areCountersFaulty(d, i));
        vm.assertFalse(areWordsFaulty(d, i));
    }

    // Rule 1: shape.

    function test_a_step_beyond_the_count_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.header.stepCount -= 1;
        vm.assertTrue(_judge.isFaulty(d.header, shape(d, d.count - 1)));
    }

    function test_a_trace_that_is_deeper_than_its_count_needs_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.header.stepCount = 8;
        vm.assertTrue(_judge.isFaulty(d.header, shape(d, 2)));
    }

    function test_a_step_that_is_missing_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.header.stepCount += 1;
        ShapeEvidence memory e;
        e.isMissing = true;
        e.index = uint32(d.count);
        e.proof = MerkleTree.proof(stepLeaves(d), d.count);
        vm.assertTrue(_judge.isFaulty(d.header, evidenceOf(1, abi.encode(e))));
    }

    function test_RevertWhen_a_leaf_beyond_the_count_is_said_to_be_missing() public {
        Draft memory d = firstBatch();
        ShapeEvidence memory e;
        e.isMissing = true;
        e.index = uint32(d.count);
        e.proof = MerkleTree.proof(stepLeaves(d), d.count);
        vm.expectRevert(abi.encodeWithSelector(Trace.NoSuchStep.selector, d.count, d.count));
        _judge.isFaulty(d.header, evidenceOf(1, abi.encode(e)));
    }

    // Rule 2: link.

    function test_a_frame_that_is_not_well_formed_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.frames[WITHDRAWAL] = TraceWords.frame(8, TIME + 8e9, FENCE, 8, new bytes(95));
        vm.assertTrue(isRewrittenFaulty(d, WITHDRAWAL));
    }

    function test_a_number_left_out_is_a_fault() public view {
        vm.assertTrue(isHeadFaulty(9, TIME + 8e9, FENCE, 8));
    }

    function test_a_time_that_runs_backward_is_a_fault() public view {
        vm.assertTrue(isHeadFaulty(8, TIME + 7e9 - 1, FENCE, 8));
    }

    function test_an_epoch_of_another_sequencer_is_a_fault() public view {
        vm.assertTrue(isHeadFaulty(8, TIME + 8e9, FENCE - 1, 8));
        vm.assertTrue(isHeadFaulty(8, TIME + 8e9, FENCE + 1, 8));
    }

    function test_a_second_genesis_is_a_fault() public view {
        vm.assertTrue(isHeadFaulty(8, TIME + 8e9, FENCE, 1));
        vm.assertFalse(isHeadFaulty(8, TIME + 8e9, FENCE, 8));
    }

    function test_a_log_that_begins_with_another_record_or_number_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.frames[0] = TraceWords.frame(2, TIME + 1e9, FENCE, 1, "{}");
        vm.assertTrue(isRewrittenFaulty(d, 0));
        d.frames[0] = TraceWords.frame(1, TIME + 1e9, FENCE, 6, "");
        vm.assertTrue(isRewrittenFaulty(d, 0));
    }

    function test_a_record_outside_the_span_of_the_batch_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.header.timeStart += 1;
        vm.assertTrue(isLinkFaulty(d, 0));
        d.header.timeStart -= 1;
        d.header.timeEnd -= 1;
        vm.assertTrue(isLinkFaulty(d, d.count - 1));
    }

    function test_an_end_in_another_epoch_than_the_header_says_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.header.sequencerEpoch += 1;
        vm.assertTrue(isLinkFaulty(d, d.count - 1));
        vm.assertFalse(isLinkFaulty(d, 1));
    }

    function test_a_broken_log_hash_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[4].tip = keccak256("another log");
        vm.assertTrue(isSealedLinkFaulty(d, 4));
    }

    function test_a_frame_elsewhere_in_the_data_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[4].dataEnd += 1;
        vm.assertTrue(isSealedLinkFaulty(d, 4));
    }

    function test_a_deposit_that_consumes_nothing_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[FIRST_DEPOSIT].inboxCursor = 0;
        vm.assertTrue(isSealedLinkFaulty(d, FIRST_DEPOSIT));
    }

    function test_an_order_that_consumes_an_entry_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[FILL].inboxCursor += 1;
        vm.assertTrue(isSealedLinkFaulty(d, FILL));
    }

    function test_an_epoch_that_an_order_begins_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[FILL].epochHash = keccak256("epoch");
        vm.assertTrue(isSealedLinkFaulty(d, FILL));
    }

    // Rule 3: counters.

    function test_counters_that_run_backward_are_a_fault() public view {
        for (uint256 fault = 0; fault < 7; ++fault) {
            Draft memory d = firstBatch();
            if (fault == 0) d.steps[UNKNOWN].inboxCursor -= 2;
            if (fault == 1) d.steps[UNKNOWN].inboxCursor += 1;
            if (fault == 2) d.steps[UNKNOWN].outputs = 0;
            if (fault == 3) d.steps[LIQUIDATION + 1].liquidations = 0;
            if (fault == 4) d.steps[UNKNOWN].dataEnd = d.steps[UNKNOWN - 1].dataEnd + 24;
            if (fault == 5) d.steps[UNKNOWN].dataEnd = d.header.daLength + 1;
            if (fault == 6) d.steps[UNKNOWN].epochHash = 0;
            seal(d);
            vm.assertTrue(areCountersFaulty(d, fault == 3 ? LIQUIDATION + 1 : UNKNOWN));
        }
    }

    function test_accounts_or_a_book_that_change_without_effects_are_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[CANCEL_ALL].accountRoot = keccak256("accounts");
        seal(d);
        vm.assertTrue(areCountersFaulty(d, CANCEL_ALL));
        d = firstBatch();
        d.steps[CANCEL_ALL].bookHash = keccak256("book");
        seal(d);
        vm.assertTrue(areCountersFaulty(d, CANCEL_ALL));
    }

    // Rule 4: words.

    function test_words_that_are_not_whole_or_not_canonical_are_a_fault() public view {
        vm.assertTrue(isWordFaulty(new bytes(31)));
        vm.assertTrue(isWordFaulty(TraceWords.word(0, 0, 0, "")));
        vm.assertTrue(isWordFaulty(TraceWords.word(12, 0, 0, "")));
        vm.assertTrue(isWordFaulty(TraceWords.word(7, 0, 0, hex"01")));
        vm.assertFalse(isWordFaulty(TraceWords.noop(0, 1)));
    }

    function test_an_output_out_of_turn_is_a_fault() public view {
        vm.assertTrue(isWordFaulty(TraceWords.output(2, 0, 1, 3)));
    }

    function test_other_counts_than_the_words_have_are_a_fault() public view {
        vm.assertTrue(isWordFaulty(TraceWords.output(2, 0, 1, 2)));
        vm.assertTrue(isWordFaulty(TraceWords.liquidation(2, 1)));
    }

    // What does not belong.

    function test_RevertWhen_the_step_is_not_that_of_the_trace() public {
        Draft memory d = firstBatch();
        StepOpening memory opening = openingOf(d, FILL);
        ShapeEvidence memory e = ShapeEvidence(opening.step, false, 15, opening.proof);
        expectRefused(d, 1, abi.encode(e), Trace.WrongStep.selector);
        LinkEvidence memory link = LinkEvidence(pairOf(d, FILL), d.frames[FILL], d.frames[FILL - 1]);
        link.pair.step.inboxCursor += 1;
        expectRefused(d, 2, abi.encode(link), Trace.WrongStep.selector);
        expectRefused(d, 3, abi.encode(link.pair), Trace.WrongStep.selector);
        WordsEvidence memory words = WordsEvidence(link.pair, d.effects[FILL]);
        expectRefused(d, 4, abi.encode(words), Trace.WrongStep.selector);
    }

    function test_RevertWhen_frames_or_words_are_not_those_of_the_step() public {
        Draft memory d = firstBatch();
        LinkEvidence memory link = LinkEvidence(pairOf(d, FILL), "frame", d.frames[FILL - 1]);
        expectRefused(d, 2, abi.encode(link), Openings.WrongFrame.selector);
        (link.frame, link.previousFrame) = (d.frames[FILL], d.frames[FILL - 2]);
        expectRefused(d, 2, abi.encode(link), Openings.WrongFrame.selector);
        WordsEvidence memory words = WordsEvidence(pairOf(d, FILL), new bytes(31));
        expectRefused(d, 4, abi.encode(words), Effects.WrongEffects.selector);
    }

    function expectRefused(Draft memory d, uint8 rule, bytes memory body, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        _judge.isFaulty(d.header, evidenceOf(rule, body));
    }

    // How each rule is asked.

    function evidenceOf(uint8 rule, bytes memory body) private pure returns (bytes memory) {
        return abi.encodePacked(rule, body);
    }

    function shape(Draft memory d, uint256 i) private pure returns (bytes memory) {
        StepOpening memory opening = openingOf(d, i);
        ShapeEvidence memory e = ShapeEvidence(opening.step, false, opening.index, opening.proof);
        return evidenceOf(1, abi.encode(e));
    }

    function isLinkFaulty(Draft memory d, uint256 i) private view returns (bool) {
        bytes memory previous = i == 0 ? d.beforeFrame : d.frames[i - 1];
        LinkEvidence memory e = LinkEvidence(pairOf(d, i), d.frames[i], previous);
        return _judge.isFaulty(d.header, evidenceOf(2, abi.encode(e)));
    }

    function isSealedLinkFaulty(Draft memory d, uint256 i) private view returns (bool) {
        seal(d);
        return isLinkFaulty(d, i);
    }

    /// @dev With a step that fits the frame in everything else.
    function isRewrittenFaulty(Draft memory d, uint256 i) private view returns (bool) {
        d.steps[i].frameHash = keccak256(d.frames[i]);
        d.steps[i].tip = keccak256(bytes.concat(stepBefore(d, i).tip, d.frames[i]));
        d.steps[i].dataEnd = (i == 0 ? 0 : d.steps[i - 1].dataEnd) + uint32(d.frames[i].length);
        return isSealedLinkFaulty(d, i);
    }

    function isHeadFaulty(uint64 seq, uint64 time, uint32 epoch, uint8 kind)
        private
        view
        returns (bool)
    {
        Draft memory d = firstBatch();
        d.frames[WITHDRAWAL] = TraceWords.frame(seq, time, epoch, kind, new bytes(94));
        return isRewrittenFaulty(d, WITHDRAWAL);
    }

    function areCountersFaulty(Draft memory d, uint256 i) private view returns (bool) {
        return _judge.isFaulty(d.header, evidenceOf(3, abi.encode(pairOf(d, i))));
    }

    function areWordsFaulty(Draft memory d, uint256 i) private view returns (bool) {
        WordsEvidence memory e = WordsEvidence(pairOf(d, i), d.effects[i]);
        return _judge.isFaulty(d.header, evidenceOf(4, abi.encode(e)));
    }

    /// @dev The words in place of those of a record that has none that count.
    function isWordFaulty(bytes memory words) private view returns (bool) {
        Draft memory d = firstBatch();
        d.effects[UNKNOWN] = words;
        d.steps[UNKNOWN].effectsHash = keccak256(words);
        seal(d);
        return areWordsFaulty(d, UNKNOWN);
    }
}
