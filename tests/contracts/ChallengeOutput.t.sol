// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {OutputJudge} from "../../contracts/challenge/OutputJudge.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {Output} from "../../contracts/types/Batch.sol";
import {
    OutputEvidence,
    OutputListEvidence,
    PutOut,
    SurplusEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeOutputTest is ChallengeScenario {
    OutputJudge private _judge = new OutputJudge();

    // Rule 1: an output differs from its effect.

    function test_outputs_that_stand_where_their_effects_say_are_no_fault() public view {
        Draft memory first = firstBatch();
        vm.assertFalse(isFaulty(first, differs(first, WITHDRAWAL, 0)));
        vm.assertFalse(isFaulty(first, differs(first, RETURNED, 1)));
        Draft memory second = secondBatch(first);
        vm.assertFalse(isFaulty(second, differs(second, 2, 0)));
    }

    function test_an_output_that_differs_from_its_effect_is_a_fault() public view {
        for (uint256 field = 0; field < 5; ++field) {
            Draft memory d = firstBatch();
            if (field == 0) d.outputs[0].id = 2;
            if (field == 1) d.outputs[0].account = 3;
            if (field == 2) d.outputs[0].owner = BOB;
            if (field == 3) d.outputs[0].asset = 1;
            if (field == 4) d.outputs[0].amount += 1;
            d.header.outputRoot = MerkleTree.root(outputLeaves(d));
            vm.assertTrue(isFaulty(d, differs(d, WITHDRAWAL, 0)));
        }
    }

    function test_a_returned_deposit_that_goes_to_another_owner_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.outputs[1].owner = ALICE;
        d.header.outputRoot = MerkleTree.root(outputLeaves(d));
        vm.assertTrue(isFaulty(d, differs(d, RETURNED, 1)));
    }

    function test_an_output_that_is_left_out_is_a_fault() public view {
        Draft memory d = firstBatch();
        bytes32[] memory leaves = outputLeaves(d);
        leaves[1] = 0;
        d.header.outputRoot = MerkleTree.root(leaves);
        OutputEvidence memory e = differs(d, RETURNED, 1);
        (e.given, e.proof) = (0, MerkleTree.proof(leaves, 1));
        vm.assertTrue(isFaulty(d, e));
    }

    function test_an_effect_in_an_asset_that_no_output_can_name_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.effects[WITHDRAWAL] = TraceWords.output(2, 256, 100e6, 1);
        d.steps[WITHDRAWAL].effectsHash = keccak256(d.effects[WITHDRAWAL]);
        seal(d);
        vm.assertTrue(isFaulty(d, differs(d, WITHDRAWAL, 0)));
    }

    function test_RevertWhen_the_output_is_not_of_this_batch() public {
        Draft memory d = firstBatch();
        d.effects[WITHDRAWAL] = TraceWords.output(2, 0, 100e6, 3);
        d.steps[WITHDRAWAL].effectsHash = keccak256(d.effects[WITHDRAWAL]);
        seal(d);
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.NotOfBatch.selector, 3, 0, 2));
        isFaulty(d, e);
    }

    function test_RevertWhen_a_node_is_shown_for_a_leaf() public {
        Draft memory d = firstBatch();
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        (e.given, e.proof) = (d.header.outputRoot, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.WrongDepth.selector, 0, 1));
        isFaulty(d, e);
    }

    function test_RevertWhen_the_opening_does_not_lead_to_the_root() public {
        Draft memory d = firstBatch();
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        e.given = keccak256("output");
        vm.expectPartialRevert(OutputJudge.WrongRoot.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_the_account_is_not_that_of_the_output() public {
        Draft memory d = firstBatch();
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        e.holder = holderAfter(d, WITHDRAWAL, 3);
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.OtherAccount.selector, 3, 2));
        isFaulty(d, e);
        e.holder.account = 2;
        e.holder.leaf = new AccountLeaf[](0);
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.OtherAccount.selector, 2, 2));
        isFaulty(d, e);
    }

    function test_RevertWhen_an_output_of_nobody_is_not_of_a_deposit() public {
        Draft memory d = firstBatch();
        d.effects[WITHDRAWAL] = TraceWords.output(TraceWords.NOBODY, 0, 100e6, 1);
        d.steps[WITHDRAWAL].effectsHash = keccak256(d.effects[WITHDRAWAL]);
        seal(d);
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        vm.expectRevert(abi.encodeWithSelector(Frames.WrongRecordType.selector, 8, 2));
        isFaulty(d, e);
    }

    // Rule 2: an output too many.

    function test_the_outputs_of_an_honest_batch_are_not_too_many() public view {
        Draft memory first = firstBatch();
        vm.assertFalse(isTooMany(first, 0));
        vm.assertFalse(isTooMany(first, 1));
        vm.assertFalse(isTooMany(secondBatch(first), 0));
    }

    function test_an_output_that_no_effect_put_out_is_a_fault() public view {
        Draft memory d = firstBatch();
        putOut(d, Output(3, 2, ALICE, 0, 1));
        d.header.outputRoot = MerkleTree.root(outputLeaves(d));
        vm.assertTrue(isTooMany(d, 2));
        // And those before it lie deeper than a list of two does.
        vm.assertTrue(isTooMany(d, 0));
    }

    function test_an_output_with_the_number_of_another_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.outputs[1].id = 1;
        d.header.outputRoot = MerkleTree.root(outputLeaves(d));
        vm.assertTrue(isTooMany(d, 1));
    }

    // Rule 3: no outputs, or no root.

    function test_a_root_without_outputs_and_outputs_without_a_root_are_faults() public view {
        Draft memory d = firstBatch();
        vm.assertFalse(isEmptyFaulty(d));
        d.header.outputRoot = 0;
        vm.assertTrue(isEmptyFaulty(d));
        d.count = WITHDRAWAL;
        d.outputs = new Output[](0);
        close(d);
        vm.assertFalse(isEmptyFaulty(d));
        d.header.outputRoot = keccak256("outputs");
        vm.assertTrue(isEmptyFaulty(d));
    }

    function test_a_trace_that_counts_down_has_no_outputs() public view {
        Draft memory d = secondBatch(firstBatch());
        d.steps[d.count - 1].outputs = 1;
        seal(d);
        vm.assertTrue(isEmptyFaulty(d));
    }

    // Rule 4: the whole list, for a root that nobody can open.

    function test_a_root_that_the_effects_do_not_make_up_is_a_fault() public view {
        Draft memory d = firstBatch();
        vm.assertFalse(isListFaulty(d, listOf(d)));
        d.header.outputRoot = keccak256("hidden");
        vm.assertTrue(isListFaulty(d, listOf(d)));
    }

    function test_a_list_with_an_asset_that_no_output_can_name_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.effects[WITHDRAWAL] = TraceWords.output(2, 256, 100e6, 1);
        d.steps[WITHDRAWAL].effectsHash = keccak256(d.effects[WITHDRAWAL]);
        seal(d);
        vm.assertTrue(isListFaulty(d, listOf(d)));
    }

    function test_RevertWhen_not_all_outputs_are_listed_in_order() public {
        Draft memory d = firstBatch();
        OutputListEvidence memory e = listOf(d);
        (e.outputs[0], e.outputs[1]) = (e.outputs[1], e.outputs[0]);
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.NotOfBatch.selector, 2, 0, 2));
        isListFaulty(d, e);
        e.outputs = new PutOut[](1);
        vm.expectRevert(abi.encodeWithSelector(OutputJudge.OutputCount.selector, 1, 2));
        isListFaulty(d, e);
    }

    // What does not belong.

    function test_RevertWhen_an_effect_or_its_holder_is_not_of_the_batch() public {
        Draft memory d = firstBatch();
        OutputEvidence memory e = differs(d, WITHDRAWAL, 0);
        e.record.effects = TraceWords.output(2, 0, 1, 1);
        vm.expectPartialRevert(Effects.WrongEffects.selector);
        isFaulty(d, e);
        e = differs(d, WITHDRAWAL, 0);
        e.holder.leaf[0].owner = BOB;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        isFaulty(d, e);
        e = differs(d, WITHDRAWAL, 0);
        e.bounds.last.outputs += 1;
        vm.expectPartialRevert(Trace.WrongStep.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_an_output_too_many_is_none_of_the_batch() public {
        Draft memory d = firstBatch();
        d.outputs[1].id = 1;
        vm.expectPartialRevert(OutputJudge.WrongRoot.selector);
        isTooMany(d, 1);
    }

    function test_RevertWhen_an_effect_of_the_list_is_not_of_the_batch() public {
        Draft memory d = firstBatch();
        OutputListEvidence memory e = listOf(d);
        e.outputs[0].record.effects = TraceWords.output(2, 0, 1, 1);
        vm.expectPartialRevert(Effects.WrongEffects.selector);
        isListFaulty(d, e);
    }

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 5));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(5), uint256(0x20)));
    }

    function listOf(Draft memory d) private pure returns (OutputListEvidence memory e) {
        e.bounds = boundsOf(d);
        e.outputs = new PutOut[](2);
        e.outputs[0] = PutOut(recordOf(d, WITHDRAWAL), 0, holderAfter(d, WITHDRAWAL, 2));
        e.outputs[1] = PutOut(recordOf(d, RETURNED), 0, holderAfter(d, RETURNED, 2));
    }

    function isListFaulty(Draft memory d, OutputListEvidence memory e) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(4), abi.encode(e)));
    }

    function differs(Draft memory d, uint256 i, uint256 index)
        private
        pure
        returns (OutputEvidence memory e)
    {
        e.bounds = boundsOf(d);
        e.record = recordOf(d, i);
        e.holder = holderAfter(d, i, 2);
        e.given = outputLeaves(d)[index];
        e.proof = MerkleTree.proof(outputLeaves(d), index);
    }

    function isFaulty(Draft memory d, OutputEvidence memory e) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function isTooMany(Draft memory d, uint32 index) private view returns (bool) {
        bytes32[] memory proof = MerkleTree.proof(outputLeaves(d), index);
        SurplusEvidence memory e = SurplusEvidence(boundsOf(d), d.outputs[index], index, proof);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function isEmptyFaulty(Draft memory d) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(boundsOf(d))));
    }
}
