// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {RebuildEvidence, SliceEvidence} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeDataTest is ChallengeScenario {
    DataJudge private _judge = new DataJudge();

    // Rule 1: slice.

    function test_every_frame_of_an_honest_batch_lies_in_its_data() public view {
        Draft memory first = firstBatch();
        for (uint256 i = 0; i < first.count; ++i) {
            vm.assertFalse(isSliceFaulty(first, i));
        }
        vm.assertFalse(isSliceFaulty(secondBatch(first), 0));
    }

    function test_other_bytes_than_the_frame_are_a_fault() public view {
        Draft memory d = firstBatch();
        d.data[d.steps[FILL].dataEnd - 1] = 0x77;
        repost(d);
        vm.assertTrue(isSliceFaulty(d, FILL));
        vm.assertFalse(isSliceFaulty(d, FILL + 1));
    }

    function test_a_frame_beyond_the_data_or_of_negative_size_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.steps[FILL].dataEnd = uint32(d.data.length) + 1;
        seal(d);
        vm.assertTrue(isSliceFaulty(d, FILL));
        d.steps[FILL].dataEnd = d.steps[FILL - 1].dataEnd - 1;
        seal(d);
        vm.assertTrue(isSliceFaulty(d, FILL));
    }

    function test_RevertWhen_the_data_is_not_what_was_posted() public {
        Draft memory d = firstBatch();
        d.data[0] = 0x01;
        vm.expectRevert(
            abi.encodeWithSelector(DataJudge.WrongData.selector, keccak256(d.data), d.header.daHash)
        );
        isSliceFaulty(d, FILL);
    }

    function test_RevertWhen_the_slice_is_of_no_step_of_the_batch() public {
        Draft memory d = firstBatch();
        SliceEvidence memory e = SliceEvidence(pairOf(d, FILL), d.data);
        e.pair.step.frameHash = keccak256("another frame");
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function test_RevertWhen_what_is_rebuilt_is_not_of_the_batch() public {
        Draft memory d = firstBatch();
        d.before.outputs += 1;
        vm.expectPartialRevert(Trace.WrongZeroStep.selector);
        isTraceFaulty(d);
        d = firstBatch();
        d.data[0] ^= 0x01;
        vm.expectPartialRevert(DataJudge.WrongData.selector);
        isTraceFaulty(d);
    }

    function test_RevertWhen_the_data_lies_in_blobs() public {
        Draft memory d = firstBatch();
        d.header.daKind = 1;
        vm.expectRevert(
            abi.encodeWithSelector(DataJudge.WrongData.selector, d.header.daHash, d.header.daHash)
        );
        isSliceFaulty(d, FILL);
    }

    // Rule 4: rebuild.

    function test_the_trace_of_an_honest_batch_is_the_one_posted() public view {
        Draft memory first = firstBatch();
        vm.assertFalse(isTraceFaulty(first));
        vm.assertFalse(isTraceFaulty(secondBatch(first)));
    }

    function testFuzz_a_trace_of_any_length_is_the_one_posted(uint8 more) public view {
        Draft memory d = firstBatch();
        After memory a;
        a.accounts = accountsAfter(d, d.count - 1);
        a.book = d.books[d.count - 1];
        for (uint256 i = 0; i < more % 9; ++i) {
            a.epochHash = keccak256(abi.encode(more, i));
            add(d, 6, "", "", a);
        }
        close(d);
        vm.assertFalse(isTraceFaulty(d));
    }

    function test_any_other_step_than_the_data_gives_is_a_fault() public view {
        for (uint256 field = 0; field < 10; ++field) {
            Draft memory d = firstBatch();
            if (field == 0) d.steps[FILL].frameHash = 0;
            if (field == 1) d.steps[FILL].effectsHash = 0;
            if (field == 2) d.steps[FILL].tip = 0;
            if (field == 3) d.steps[FILL].accountRoot = 0;
            if (field == 4) d.steps[FILL].epochHash = 0;
            if (field == 5) d.steps[FILL].bookHash = 0;
            if (field == 6) d.steps[FILL].inboxCursor += 1;
            if (field == 7) d.steps[FILL].outputs += 1;
            if (field == 8) d.steps[FILL].liquidations += 1;
            if (field == 9) d.steps[FILL].dataEnd += 1;
            seal(d);
            vm.assertTrue(isTraceFaulty(d));
        }
    }

    function test_another_count_than_the_data_has_is_a_fault() public view {
        Draft memory d = firstBatch();
        uint32 count = d.header.stepCount;
        d.header.stepCount = count - 1;
        vm.assertTrue(isTraceFaulty(d));
        d.header.stepCount = count + 1;
        vm.assertTrue(isTraceFaulty(d));
        d.header.stepCount = 0;
        vm.assertTrue(isTraceFaulty(d));
        d.header.stepCount = 2049;
        vm.assertTrue(isTraceFaulty(d));
    }

    function test_data_that_stops_short_or_goes_on_is_a_fault() public view {
        Draft memory d = firstBatch();
        bytes memory whole = d.data;
        d.data = bytes.concat(whole, bytes1(0));
        repost(d);
        vm.assertTrue(isTraceFaulty(d));
        for (uint256 length = 0; length < whole.length; length += 3) {
            d.data = headOf(whole, length);
            repost(d);
            vm.assertTrue(isTraceFaulty(d));
        }
    }

    function test_a_frame_that_says_it_is_longer_than_the_data_is_a_fault() public view {
        Draft memory d = firstBatch();
        for (uint256 i = 21; i < 25; ++i) {
            d.data[d.steps[RETURNED].dataEnd + i] = 0xff;
        }
        repost(d);
        vm.assertTrue(isTraceFaulty(d));
    }

    function test_a_trace_that_is_not_canonical_is_a_fault() public view {
        bytes32 root = firstBatch().steps[RETURNED].accountRoot;
        // The last step of the batch has no root and no words: three zeros.
        vm.assertFalse(isItemFaulty(hex"000000"));
        vm.assertTrue(isItemFaulty(hex"080000"));
        vm.assertTrue(isItemFaulty(bytes.concat(hex"01", root, hex"0000")));
        Draft memory d = firstBatch();
        bytes32 epoch = d.steps[RETURNED].epochHash;
        bytes32 book = d.steps[RETURNED].bookHash;
        vm.assertTrue(isItemFaulty(bytes.concat(hex"02", epoch, hex"0000")));
        vm.assertTrue(isItemFaulty(bytes.concat(hex"04", book, hex"0000")));
        vm.assertTrue(isItemFaulty(hex"0000010201"));
        vm.assertTrue(isItemFaulty(hex"00000100"));
        vm.assertTrue(isItemFaulty(bytes.concat(hex"00000121", new bytes(32), hex"01")));
        vm.assertTrue(isItemFaulty(hex"000001020700"));
    }

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 6));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(6), uint256(0x20)));
    }

    function repost(Draft memory d) private pure {
        d.header.daHash = keccak256(d.data);
        d.header.daLength = uint32(d.data.length);
    }

    function headOf(bytes memory data, uint256 length) private pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            head[i] = data[i];
        }
    }

    /// @dev Other bytes in place of the three that are posted of the last step.
    function isItemFaulty(bytes memory item) private view returns (bool) {
        Draft memory d = firstBatch();
        d.data = bytes.concat(headOf(d.data, d.data.length - 3), item);
        repost(d);
        return isTraceFaulty(d);
    }

    function isSliceFaulty(Draft memory d, uint256 i) private view returns (bool) {
        SliceEvidence memory e = SliceEvidence(pairOf(d, i), d.data);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function isTraceFaulty(Draft memory d) private view returns (bool) {
        RebuildEvidence memory e;
        (e.before, e.beforeProof, e.previousHeader) = (d.before, d.beforeProof, d.previousHeader);
        e.data = d.data;
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(e)));
    }
}
