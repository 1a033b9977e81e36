// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {BlobData} from "../../contracts/libraries/BlobData.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {
    BlobFrameEvidence,
    BlobOpening,
    BlobPaddingEvidence,
    RebuildEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {Json} from "./support/Json.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev A batch whose Genesis fills a blob, and three ticks in the next; scripts/vectors_blobs.py
/// builds the same data and opens it with the trusted setup of the chain.
contract ChallengeBlobsTest is ChallengeScenario {
    using Json for Json.File;
    using Json for Json.Case;

    uint256 private constant GENESIS_WORDS = 3969;
    uint32 private constant ELEMENTS = 4096;

    DataJudge private _judge = new DataJudge();
    bytes32[] private _hashes;
    bytes[] private _commitments;
    bytes[] private _proofs;

    function setUp() public {
        Json.File memory file = openVectors();
        string[] memory hashes = vm.parseJsonStringArray(file.text, ".cases[0].versionedHashes");
        string[] memory commitments = vm.parseJsonStringArray(file.text, ".cases[0].commitments");
        string[] memory proofs = vm.parseJsonStringArray(file.text, ".cases[0].proofs");
        for (uint256 i = 0; i < hashes.length; ++i) {
            _hashes.push(vm.parseBytes32(hashes[i]));
            _commitments.push(vm.parseBytes(commitments[i]));
            _proofs.push(vm.parseBytes(proofs[i]));
        }
    }

    // Rule 4: rebuild.

    function test_the_trace_that_two_blobs_hold_is_that_of_the_batch() public view {
        Draft memory d = blobBatch();
        vm.assertEq(keccak256(d.data), openVectors().caseAt(0).word("dataHash"));
        vm.assertFalse(isTraceFaulty(d));
        d.steps[2].outputs = 1;
        seal(d);
        vm.assertTrue(isTraceFaulty(d));
    }

    function test_RevertWhen_the_data_is_not_that_of_the_blobs() public {
        Draft memory d = blobBatch();
        d.data[77] ^= 0x01;
        vm.expectPartialRevert(BlobData.WrongOpening.selector);
        isTraceFaulty(d);
        d = blobBatch();
        d.data[d.data.length - 1] = 0x01;
        vm.expectPartialRevert(BlobData.WrongOpening.selector);
        isTraceFaulty(d);
    }

    function test_RevertWhen_data_commitments_or_proofs_are_not_of_the_batch() public {
        Draft memory d = blobBatch();
        RebuildEvidence memory e = rebuild(d);
        e.data = "";
        expectShape(d, e, 2, 2, 2, 0);
        e = rebuild(d);
        e.commitments = new bytes[](1);
        expectShape(d, e, 2, 1, 2, d.data.length);
        e = rebuild(d);
        e.proofs = new bytes[](3);
        expectShape(d, e, 2, 2, 3, d.data.length);
    }

    function test_RevertWhen_the_blobs_are_not_those_of_the_batch() public {
        Draft memory d = blobBatch();
        d.header.daHash = keccak256("blobs");
        vm.expectPartialRevert(BlobData.WrongBlobs.selector);
        isTraceFaulty(d);
        d = blobBatch();
        BlobFrameEvidence memory e = frameOf(d, 0, 1);
        d.header.daKind = 0;
        vm.expectPartialRevert(BlobData.WrongBlobs.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function test_RevertWhen_there_is_more_data_than_the_blobs_hold() public {
        Draft memory d = blobBatch();
        RebuildEvidence memory e = rebuild(d);
        e.versionedHashes = new bytes32[](0);
        e.commitments = new bytes[](0);
        e.proofs = new bytes[](0);
        d.header.daHash = keccak256("");
        expectShape(d, e, 0, 0, 0, d.data.length);
    }

    // Rule 2: frame.

    function test_an_element_that_holds_bytes_of_the_frame_is_no_fault() public view {
        Draft memory d = blobBatch();
        vm.assertFalse(isFrameFaulty(d, 0, 1));
        vm.assertFalse(isFrameFaulty(d, 0, 2));
        vm.assertFalse(isFrameFaulty(d, 0, 3));
        // The end of one tick and the begin of the last one, whose end stands before the trace.
        vm.assertFalse(isFrameFaulty(d, 2, 4));
        vm.assertFalse(isFrameFaulty(d, 3, 4));
        vm.assertFalse(isFrameFaulty(d, 3, 5));
    }

    function test_an_element_with_other_bytes_than_the_frame_is_a_fault() public view {
        Draft memory d = blobBatch();
        reframe(d, 0, TraceWords.frame(1, TIME + 1e9, FENCE, 1, new bytes(GENESIS_WORDS * 32)));
        vm.assertTrue(isFrameFaulty(d, 0, 1));
        vm.assertTrue(isFrameFaulty(d, 0, 3));
        d = blobBatch();
        reframe(d, 3, TraceWords.frame(5, TIME + 4e9, FENCE, 7, ""));
        vm.assertTrue(isFrameFaulty(d, 3, 4));
        vm.assertTrue(isFrameFaulty(d, 3, 5));
        vm.assertFalse(isFrameFaulty(d, 2, 4));
    }

    function test_a_frame_that_does_not_fit_its_place_is_a_fault() public view {
        Draft memory d = blobBatch();
        d.steps[1].dataEnd += 1;
        seal(d);
        vm.assertTrue(isFrameFaulty(d, 1, 4));
        d = blobBatch();
        d.header.daLength = d.steps[1].dataEnd - 1;
        vm.assertTrue(isFrameFaulty(d, 1, 4));
    }

    function test_RevertWhen_the_element_holds_nothing_of_the_frame() public {
        Draft memory d = blobBatch();
        vm.expectRevert(
            abi.encodeWithSelector(
                DataJudge.OtherElement.selector, 1, d.steps[0].dataEnd, d.steps[1].dataEnd
            )
        );
        isFrameFaulty(d, 1, 1);
    }

    function test_RevertWhen_the_element_lies_behind_the_frame() public {
        Draft memory d = blobBatch();
        vm.expectRevert(
            abi.encodeWithSelector(DataJudge.OtherElement.selector, 4196, 0, d.steps[0].dataEnd)
        );
        isFrameFaulty(d, 0, 6);
    }

    function test_RevertWhen_the_element_has_another_value() public {
        Draft memory d = blobBatch();
        BlobFrameEvidence memory e = frameOf(d, 0, 1);
        e.opening.value = bytes32(uint256(e.opening.value) ^ 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                BlobData.WrongOpening.selector,
                _hashes[0],
                0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000,
                e.opening.value
            )
        );
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function test_RevertWhen_the_batch_has_no_such_element() public {
        Draft memory d = blobBatch();
        BlobFrameEvidence memory e = frameOf(d, 0, 1);
        e.opening.element = 2 * ELEMENTS;
        vm.expectRevert(
            abi.encodeWithSelector(BlobData.NoSuchElement.selector, 2 * ELEMENTS, 2 * ELEMENTS)
        );
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function test_RevertWhen_the_frame_is_of_no_step_of_the_batch() public {
        Draft memory d = blobBatch();
        BlobFrameEvidence memory e = frameOf(d, 0, 1);
        e.frame = bytes.concat(e.frame);
        e.frame[0] ^= 0x01;
        vm.expectPartialRevert(Openings.WrongFrame.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
        e.pair.step.frameHash = keccak256(e.frame);
        vm.expectPartialRevert(Trace.WrongStep.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function test_RevertWhen_a_point_has_not_48_bytes() public {
        Draft memory d = blobBatch();
        BlobFrameEvidence memory e = frameOf(d, 0, 1);
        e.opening.proof = new bytes(47);
        vm.expectRevert(abi.encodeWithSelector(BlobData.PointLength.selector, 47));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
        e = frameOf(d, 0, 1);
        e.opening.commitment = new bytes(49);
        vm.expectRevert(abi.encodeWithSelector(BlobData.PointLength.selector, 49));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    // Rule 3: padding.

    function test_elements_laid_out_as_data_is_are_no_fault() public view {
        Draft memory d = blobBatch();
        for (uint256 i = 1; i < 7; ++i) {
            BlobPaddingEvidence memory e =
                BlobPaddingEvidence(_hashes, openingAt(openVectors().caseAt(i)));
            vm.assertFalse(_judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e))));
        }
    }

    function test_a_first_byte_or_a_rest_that_is_not_zero_is_a_fault() public view {
        // Sevens all over, and a one before the first: as data of two elements, of 40 and 31 bytes.
        vm.assertTrue(isPaddingFaulty(0, 62));
        vm.assertFalse(isPaddingFaulty(1, 62));
        vm.assertTrue(isPaddingFaulty(1, 61));
        vm.assertTrue(isPaddingFaulty(1, 31));
        vm.assertTrue(isPaddingFaulty(2, 31));
    }

    function test_RevertWhen_the_padding_is_of_other_blobs() public {
        Draft memory d = blobBatch();
        BlobPaddingEvidence memory e = paddedAt(0);
        vm.expectPartialRevert(BlobData.WrongBlobs.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    function test_RevertWhen_the_padding_has_another_value() public {
        Draft memory d = blobBatch();
        BlobOpening memory opening = openingAt(openVectors().caseAt(1));
        opening.value |= bytes32(uint256(1 << 248));
        BlobPaddingEvidence memory e = BlobPaddingEvidence(_hashes, opening);
        vm.expectPartialRevert(BlobData.WrongOpening.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    function blobBatch() private view returns (Draft memory d) {
        After memory a;
        d = firstDraft();
        a.accounts = new AccountLeaf[](0);
        a.book = emptyBook(0);
        bytes memory document = new bytes(GENESIS_WORDS * 32);
        for (uint256 i = 0; i < GENESIS_WORDS; ++i) {
            bytes32 word = keccak256(abi.encode(i));
            assembly ("memory-safe") {
                mstore(add(document, add(0x20, shl(5, i))), word)
            }
        }
        add(d, 1, document, "", a);
        for (uint256 i = 0; i < 3; ++i) {
            add(d, 6, "", "", a);
        }
        close(d);
        d.header.daKind = 1;
        d.header.daHash = keccak256(abi.encodePacked(_hashes));
    }

    function reframe(Draft memory d, uint256 i, bytes memory frame) private pure {
        d.frames[i] = frame;
        d.steps[i].frameHash = keccak256(frame);
        seal(d);
    }

    function openVectors() private view returns (Json.File memory) {
        return Json.open("tests/vectors/blobs.json", "plimsoll.blobs.v1");
    }

    function openingAt(Json.Case memory here) private pure returns (BlobOpening memory) {
        return BlobOpening({
            element: uint32(here.number("element")),
            value: here.word("value"),
            commitment: here.data("commitment"),
            proof: here.data("proof")
        });
    }

    function rebuild(Draft memory d) private view returns (RebuildEvidence memory e) {
        (e.before, e.beforeProof, e.previousHeader) = (d.before, d.beforeProof, d.previousHeader);
        (e.data, e.versionedHashes) = (d.data, _hashes);
        (e.commitments, e.proofs) = (_commitments, _proofs);
    }

    function isTraceFaulty(Draft memory d) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(rebuild(d))));
    }

    function expectShape(
        Draft memory d,
        RebuildEvidence memory e,
        uint256 blobs,
        uint256 commitments,
        uint256 proofs,
        uint256 length
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                BlobData.WrongDataShape.selector, blobs, commitments, proofs, length
            )
        );
        _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(e)));
    }

    function frameOf(Draft memory d, uint256 i, uint256 vector)
        private
        view
        returns (BlobFrameEvidence memory)
    {
        BlobOpening memory opening = openingAt(openVectors().caseAt(vector));
        return BlobFrameEvidence(pairOf(d, i), d.frames[i], _hashes, opening);
    }

    function isFrameFaulty(Draft memory d, uint256 i, uint256 vector) private view returns (bool) {
        BlobFrameEvidence memory e = frameOf(d, i, vector);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function isPaddingFaulty(uint256 element, uint32 length) private view returns (bool) {
        BlobPaddingEvidence memory e = paddedAt(element);
        BatchHeader memory header;
        (header.daKind, header.daLength) = (1, length);
        header.daHash = keccak256(abi.encodePacked(e.versionedHashes));
        return _judge.isFaulty(header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    /// @dev An element of a blob that no batch of these tests has.
    function paddedAt(uint256 element) private view returns (BlobPaddingEvidence memory) {
        Json.Case memory here = Json.open(
                "tests/vectors/blobs_padded.json", "plimsoll.blobs_padded.v1"
            ).caseAt(element);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = here.word("versionedHash");
        return BlobPaddingEvidence(hashes, openingAt(here));
    }
}
