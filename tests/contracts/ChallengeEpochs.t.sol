// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {RebuildEvidence} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev The epochs of a header are the one in force before and those that begin: an epoch that is
/// left out could not be disputed.
contract ChallengeEpochsTest is ChallengeScenario {
    uint8 private constant RULE_EPOCHS = 5;

    DataJudge private _judge = new DataJudge();

    function test_the_epochs_of_the_trace_are_no_fault() public view {
        Draft memory first = firstBatch();
        first.header.epochRoot = hashOfEpoch(epochOne());
        vm.assertFalse(areEpochsFaulty(first));
        Draft memory second = secondBatch(first);
        second.header.epochRoot = both();
        vm.assertFalse(areEpochsFaulty(second));
    }

    function test_an_epoch_that_is_left_out_is_a_fault() public view {
        Draft memory second = secondBatch(firstBatch());
        second.header.epochRoot = hashOfEpoch(epochTwo());
        vm.assertTrue(areEpochsFaulty(second));
        second.header.epochRoot = hashOfEpoch(epochOne());
        vm.assertTrue(areEpochsFaulty(second));
    }

    function test_an_epoch_that_nobody_began_is_a_fault() public view {
        Draft memory first = firstBatch();
        first.header.epochRoot = both();
        vm.assertTrue(areEpochsFaulty(first));
        first.header.epochRoot = 0;
        vm.assertTrue(areEpochsFaulty(first));
    }

    function test_data_that_is_no_trace_is_a_fault_here_too() public view {
        Draft memory first = firstBatch();
        first.header.epochRoot = hashOfEpoch(epochOne());
        first.header.stepCount += 1;
        vm.assertTrue(areEpochsFaulty(first));
    }

    function both() private pure returns (bytes32) {
        bytes32[] memory epochs = new bytes32[](2);
        (epochs[0], epochs[1]) = (hashOfEpoch(epochOne()), hashOfEpoch(epochTwo()));
        return MerkleTree.root(epochs);
    }

    function areEpochsFaulty(Draft memory d) private view returns (bool) {
        RebuildEvidence memory e;
        (e.before, e.beforeProof, e.previousHeader) = (d.before, d.beforeProof, d.previousHeader);
        e.data = d.data;
        return _judge.isFaulty(d.header, abi.encodePacked(RULE_EPOCHS, abi.encode(e)));
    }
}
