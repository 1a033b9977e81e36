// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataJudge} from "../../contracts/challenge/DataJudge.sol";
import {StepJudge} from "../../contracts/challenge/StepJudge.sol";
import {LinkEvidence, RebuildEvidence} from "../../contracts/types/StructureEvidence.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Adopted parameters begin a batch and an epoch; the header names them, and nothing else may.
contract ChallengeAdoptTest is ChallengeScenario {
    StepJudge private _steps = new StepJudge();
    DataJudge private _data = new DataJudge();

    uint8 private constant ADOPT = 13;
    uint8 private constant TICK_TYPE = 6;

    function test_a_batch_that_begins_with_adopted_parameters_is_sound() public view {
        Draft memory d = adopting(ADOPT, TICK_TYPE, document(33));
        vm.assertFalse(isLinkFaulty(d, 0));
        vm.assertFalse(isLinkFaulty(d, 1));
        vm.assertFalse(isCountFaulty(d, 0));
    }

    function test_parameters_adopted_within_a_batch_are_a_fault() public view {
        Draft memory d = adopting(TICK_TYPE, ADOPT, "");
        d.header.paramsHash = 0;
        vm.assertFalse(isLinkFaulty(d, 0));
        vm.assertTrue(isLinkFaulty(d, 1));
    }

    function test_other_parameters_that_no_record_adopts_are_a_fault() public view {
        Draft memory d = adopting(TICK_TYPE, TICK_TYPE, "");
        vm.assertTrue(isLinkFaulty(d, 0));
        d.header.paramsHash = 0;
        vm.assertFalse(isLinkFaulty(d, 0));
    }

    function test_terms_without_a_document_are_not_well_formed() public view {
        vm.assertTrue(isLinkFaulty(adopting(ADOPT, TICK_TYPE, document(32)), 0));
    }

    function test_the_epoch_before_adopted_parameters_is_not_of_their_batch() public view {
        Draft memory d = adopting(ADOPT, TICK_TYPE, document(33));
        d.header.epochRoot = epochs(false);
        vm.assertFalse(areEpochsFaulty(d));
        d.header.epochRoot = epochs(true);
        vm.assertTrue(areEpochsFaulty(d));
    }

    /// @dev A batch of two records that each begin an epoch, under another set than the first.
    function adopting(uint8 one, uint8 other, bytes memory payload)
        private
        pure
        returns (Draft memory d)
    {
        Draft memory first = firstBatch();
        After memory a;
        d = nextDraft(first);
        a.accounts = accountsAfter(first, first.count - 1);
        a.book = abi.decode(abi.encode(first.books[first.count - 1]), (Book));
        a.epochHash = hashOfEpoch(epochTwo());
        add(d, one, payload, "", a);
        a.epochHash = keccak256("another epoch");
        add(d, other, other == ADOPT ? document(33) : bytes(""), "", a);
        close(d);
        d.header.paramsHash = keccak256("another set");
    }

    function document(uint256 size) private pure returns (bytes memory) {
        return new bytes(size);
    }

    function epochs(bool withBefore) private pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](withBefore ? 3 : 2);
        if (withBefore) leaves[0] = hashOfEpoch(epochOne());
        leaves[leaves.length - 2] = hashOfEpoch(epochTwo());
        leaves[leaves.length - 1] = keccak256("another epoch");
        return MerkleTree.root(leaves);
    }

    function isLinkFaulty(Draft memory d, uint256 i) private view returns (bool) {
        bytes memory previous = i == 0 ? d.beforeFrame : d.frames[i - 1];
        LinkEvidence memory e = LinkEvidence(pairOf(d, i), d.frames[i], previous);
        return _steps.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function isCountFaulty(Draft memory d, uint256 i) private view returns (bool) {
        return _steps.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(pairOf(d, i))));
    }

    function areEpochsFaulty(Draft memory d) private view returns (bool) {
        RebuildEvidence memory e;
        (e.before, e.beforeProof, e.previousHeader) = (d.before, d.beforeProof, d.previousHeader);
        e.data = d.data;
        return _data.isFaulty(d.header, abi.encodePacked(_data.RULE_EPOCHS(), abi.encode(e)));
    }
}
