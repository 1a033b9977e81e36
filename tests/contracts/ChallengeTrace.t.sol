// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Frames} from "../../contracts/libraries/Frames.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {StepOpening, StepPair, TraceBounds} from "../../contracts/types/Evidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the libraries the calldata that they read.
contract TraceHarness {
    function requirePair(BatchHeader calldata header, StepPair calldata pair) external pure {
        Trace.requirePair(header, pair);
    }

    function requireBounds(BatchHeader calldata header, TraceBounds calldata bounds) external pure {
        Trace.requireBounds(header, bounds);
    }

    function requireLast(BatchHeader calldata header, StepOpening calldata opening) external pure {
        Trace.requireLast(header, opening);
    }

    function depthOf(uint256 leaves) external pure returns (uint256) {
        return Trace.depthOf(leaves);
    }

    function isWellFormed(bytes calldata frame) external pure returns (bool) {
        return Frames.isWellFormed(frame);
    }

    function head(bytes calldata frame)
        external
        pure
        returns (uint64, uint64, uint32, uint8, bytes memory)
    {
        return (
            Frames.seqOf(frame),
            Frames.timeOf(frame),
            Frames.epochOf(frame),
            Frames.typeOf(frame),
            Frames.payloadOf(frame)
        );
    }

    function i64At(bytes calldata data, uint256 offset) external pure returns (int64) {
        return Frames.i64At(data, offset);
    }

    function i32At(bytes calldata data, uint256 offset) external pure returns (int32) {
        return Frames.i32At(data, offset);
    }

    function u128At(bytes calldata data, uint256 offset) external pure returns (uint128) {
        return Frames.u128At(data, offset);
    }

    function addressAt(bytes calldata data, uint256 offset) external pure returns (address) {
        return Frames.addressAt(data, offset);
    }

    function requireType(bytes calldata frame, uint8 expected) external pure {
        Frames.requireType(frame, expected);
    }
}

contract ChallengeTraceTest is ChallengeScenario {
    TraceHarness private _trace = new TraceHarness();

    function test_every_step_follows_the_one_before_it_also_across_batches() public view {
        Draft memory first = firstBatch();
        for (uint256 i = 0; i < first.count; ++i) {
            _trace.requirePair(first.header, pairOf(first, i));
        }
        Draft memory second = secondBatch(first);
        _trace.requirePair(second.header, pairOf(second, 0));
        _trace.requireBounds(first.header, boundsOf(first));
        _trace.requireBounds(second.header, boundsOf(second));
    }

    function test_RevertWhen_the_step_is_another() public {
        Draft memory d = firstBatch();
        StepPair memory pair = pairOf(d, FILL);
        pair.step.outputs += 1;
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _trace.requirePair(d.header, pair);
        pair = pairOf(d, FILL);
        pair.previous.outputs += 1;
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _trace.requirePair(d.header, pair);
    }

    function test_RevertWhen_the_steps_are_not_neighbours() public {
        Draft memory d = firstBatch();
        StepPair memory pair = pairOf(d, FILL);
        (pair.previous, pair.previousProof) = (d.steps[2], stepProof(d, 2));
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _trace.requirePair(d.header, pair);
    }

    function test_RevertWhen_the_batch_has_no_such_step() public {
        Draft memory d = firstBatch();
        StepPair memory pair = pairOf(d, FILL);
        pair.index = uint32(d.count);
        vm.expectRevert(abi.encodeWithSelector(Trace.NoSuchStep.selector, d.count, d.count));
        _trace.requirePair(d.header, pair);
    }

    function test_RevertWhen_the_header_before_is_missing_or_not_asked_for() public {
        Draft memory first = firstBatch();
        Draft memory d = secondBatch(first);
        StepPair memory pair = pairOf(d, 0);
        pair.previousHeader = new BatchHeader[](0);
        vm.expectRevert(abi.encodeWithSelector(Trace.PreviousHeaderCount.selector, 0, 1));
        _trace.requirePair(d.header, pair);
        pair = pairOf(d, 1);
        pair.previousHeader = d.previousHeader;
        vm.expectRevert(abi.encodeWithSelector(Trace.PreviousHeaderCount.selector, 1, 0));
        _trace.requirePair(d.header, pair);
        pair = pairOf(first, 0);
        pair.previousHeader = d.previousHeader;
        vm.expectRevert(abi.encodeWithSelector(Trace.PreviousHeaderCount.selector, 1, 0));
        _trace.requirePair(first.header, pair);
    }

    function test_RevertWhen_the_header_before_is_another() public {
        Draft memory d = secondBatch(firstBatch());
        StepPair memory pair = pairOf(d, 0);
        pair.previousHeader[0].timeEnd += 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                Trace.WrongPreviousHeader.selector,
                hashOf(pair.previousHeader[0]),
                d.header.prevBatchHash
            )
        );
        _trace.requirePair(d.header, pair);
    }

    function test_RevertWhen_the_first_step_of_all_does_not_follow_the_zero_step() public {
        Draft memory d = firstBatch();
        StepPair memory pair = pairOf(d, 0);
        pair.previous.outputs = 1;
        vm.expectPartialRevert(Trace.WrongZeroStep.selector);
        _trace.requirePair(d.header, pair);
    }

    function test_RevertWhen_the_step_is_not_the_last() public {
        Draft memory d = firstBatch();
        _trace.requireLast(d.header, lastOf(d));
        vm.expectRevert(abi.encodeWithSelector(Trace.NotLastStep.selector, FILL, d.count));
        _trace.requireLast(d.header, openingOf(d, FILL));
    }

    function test_RevertWhen_a_batch_has_no_steps_at_all() public {
        Draft memory d = firstBatch();
        TraceBounds memory bounds = boundsOf(d);
        d.header.stepCount = 0;
        vm.expectRevert(abi.encodeWithSelector(Trace.NoSuchStep.selector, 0, 0));
        _trace.requireBounds(d.header, bounds);

        Draft memory next = secondBatch(d);
        vm.expectRevert(abi.encodeWithSelector(Trace.NoSuchStep.selector, 0, 0));
        _trace.requirePair(next.header, pairOf(next, 0));
    }

    function test_a_list_has_as_many_levels_as_its_leaves_need() public view {
        uint8[9] memory levels = [0, 0, 1, 2, 2, 3, 3, 3, 3];
        for (uint256 leaves = 0; leaves < 9; ++leaves) {
            vm.assertEq(_trace.depthOf(leaves), levels[leaves]);
        }
    }

    function testFuzz_the_head_of_a_frame_is_read_as_it_was_written(
        uint64 seq,
        uint64 time,
        uint32 epoch,
        uint8 kind,
        bytes calldata payload
    ) public view {
        bytes memory frame = TraceWords.frame(seq, time, epoch, kind, payload);
        bytes memory given = abi.encode(seq, time, epoch, kind, payload);
        (uint64 a, uint64 b, uint32 c, uint8 d, bytes memory e) = _trace.head(frame);
        vm.assertEq(keccak256(abi.encode(a, b, c, d, e)), keccak256(given));
    }

    function testFuzz_numbers_are_read_as_they_were_written(int64 a, int32 b, uint128 c, address d)
        public
        view
    {
        bytes memory data = abi.encodePacked(a, b, c, d);
        vm.assertEq(int256(_trace.i64At(data, 0)), int256(a));
        vm.assertEq(int256(_trace.i32At(data, 8)), int256(b));
        vm.assertEq(uint256(_trace.u128At(data, 12)), uint256(c));
        vm.assertEq(_trace.addressAt(data, 28), d);
    }

    function test_a_frame_has_the_size_that_its_type_needs() public view {
        uint8[13] memory sizes = [0, 2, 55, 101, 93, 18, 0, 4, 94, 2, 86, 102, 76];
        for (uint8 kind = 1; kind <= 12; ++kind) {
            bytes memory payload = new bytes(sizes[kind]);
            vm.assertTrue(isWellFormed(kind, payload));
            if (kind != 1) vm.assertFalse(isWellFormed(kind, bytes.concat(payload, bytes1(0))));
        }
        vm.assertFalse(isWellFormed(1, ""));
        vm.assertFalse(isWellFormed(0, ""));
        vm.assertFalse(isWellFormed(13, ""));
        vm.assertFalse(_trace.isWellFormed(new bytes(24)));
        vm.assertFalse(_trace.isWellFormed(bytes.concat(new bytes(24), bytes1(0x01))));
    }

    function test_a_report_is_as_long_as_its_observations() public view {
        bytes memory start = abi.encodePacked(uint64(1), uint64(2));
        bytes memory one = abi.encodePacked(uint8(3), uint16(2), new bytes(2 * 12 + 65));
        vm.assertTrue(isWellFormed(5, bytes.concat(start, hex"0001", one)));
        vm.assertTrue(isWellFormed(5, bytes.concat(start, hex"0002", one, one)));
        vm.assertFalse(isWellFormed(5, bytes.concat(start, hex"0002", one)));
        vm.assertFalse(isWellFormed(5, bytes.concat(start, hex"0001", one, one)));
        vm.assertFalse(isWellFormed(5, start));
    }

    function test_RevertWhen_a_field_reaches_beyond_the_end() public {
        vm.expectRevert(abi.encodeWithSelector(Frames.FieldBeyondEnd.selector, 9, 8));
        _trace.i64At(new bytes(8), 1);
        vm.expectRevert(abi.encodeWithSelector(Frames.FieldBeyondEnd.selector, 25, 24));
        _trace.head(new bytes(24));
    }

    function test_RevertWhen_the_record_is_of_another_type() public {
        bytes memory frame = TraceWords.frame(1, 2, 3, 4, "");
        _trace.requireType(frame, 4);
        vm.expectRevert(abi.encodeWithSelector(Frames.WrongRecordType.selector, 4, 5));
        _trace.requireType(frame, 5);
    }

    function isWellFormed(uint8 kind, bytes memory payload) private view returns (bool) {
        return _trace.isWellFormed(TraceWords.frame(1, 2, 3, kind, payload));
    }
}
