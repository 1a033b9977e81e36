// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepJudge} from "../../contracts/challenge/StepJudge.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {TraceBounds} from "../../contracts/types/Evidence.sol";
import {
    EpochEvidence,
    RootsEvidence,
    StateEvidence,
    StateParts
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeStepEndsTest is ChallengeScenario {
    StepJudge private _judge = new StepJudge();

    // Rule 5: ends.

    function test_an_honest_trace_begins_and_ends_as_the_header_says() public view {
        Draft memory first = firstBatch();
        vm.assertFalse(areEndsFaulty(first));
        vm.assertFalse(areEndsFaulty(secondBatch(first)));
    }

    function test_a_trace_that_ends_elsewhere_than_the_header_is_a_fault() public view {
        Draft memory first = firstBatch();
        for (uint256 fault = 0; fault < 5; ++fault) {
            Draft memory d = secondBatch(first);
            if (fault == 0) d.header.inboxFrom -= 1;
            if (fault == 1) d.header.inboxTo += 1;
            if (fault == 2) d.header.inputLogHash = keccak256("log");
            if (fault == 3) d.header.liquidationCount = 1;
            if (fault == 4) d.header.daLength = d.steps[d.count - 1].dataEnd - 1;
            vm.assertTrue(areEndsFaulty(d));
        }
    }

    // Rule 6: state root.

    function test_a_state_root_of_other_accounts_totals_or_records_is_a_fault() public view {
        vm.assertFalse(isStateFaulty(0));
        vm.assertTrue(isStateFaulty(1));
        vm.assertTrue(isStateFaulty(2));
        vm.assertTrue(isStateFaulty(3));
    }

    function test_RevertWhen_the_parts_are_not_those_of_the_state_root() public {
        Draft memory d = firstBatch();
        StateEvidence memory e = stateOf(d);
        d.header.stateRoot = keccak256("state");
        vm.expectRevert(
            abi.encodeWithSelector(
                StepJudge.WrongStateParts.selector,
                keccak256(abi.encode(e.parts)),
                d.header.stateRoot
            )
        );
        _judge.isFaulty(d.header, evidenceOf(6, abi.encode(e)));
    }

    // Rule 7: epoch.

    function test_an_epoch_with_another_number_or_time_is_a_fault() public view {
        vm.assertFalse(isEpochFaulty(2, TIME + 14e9));
        vm.assertTrue(isEpochFaulty(3, TIME + 14e9));
        vm.assertTrue(isEpochFaulty(2, TIME + 15e9));
    }

    function test_the_first_epoch_has_the_number_one() public view {
        Draft memory d = firstBatch();
        EpochEvidence memory e;
        e.pair = pairOf(d, REPORT);
        e.frame = d.frames[REPORT];
        e.epoch = epochOne();
        vm.assertFalse(_judge.isFaulty(d.header, evidenceOf(7, abi.encode(e))));
        e.epoch.number = 2;
        d.steps[REPORT].epochHash = hashOfEpoch(e.epoch);
        seal(d);
        e.pair = pairOf(d, REPORT);
        vm.assertTrue(_judge.isFaulty(d.header, evidenceOf(7, abi.encode(e))));
    }

    function test_RevertWhen_no_epoch_begins() public {
        Draft memory d = firstBatch();
        EpochEvidence memory e;
        e.pair = pairOf(d, FILL);
        e.frame = d.frames[FILL];
        vm.expectRevert(StepJudge.NoNewEpoch.selector);
        _judge.isFaulty(d.header, evidenceOf(7, abi.encode(e)));
    }

    // Rule 8: roots.

    function test_columns_that_are_not_those_of_the_last_epoch_are_a_fault() public view {
        Draft memory d = firstBatch();
        bytes memory evidence = evidenceOf(8, abi.encode(RootsEvidence(lastOf(d), epochOne())));
        vm.assertFalse(_judge.isFaulty(d.header, evidence));
        d.header.riskRoot = keccak256("risk");
        vm.assertTrue(_judge.isFaulty(d.header, evidence));
        d.header.riskRoot = 0;
        d.header.priceRoot = keccak256("prices");
        vm.assertTrue(_judge.isFaulty(d.header, evidence));
    }

    function test_columns_before_the_first_epoch_are_a_fault() public view {
        Draft memory d = firstBatch();
        d.count = REPORT;
        close(d);
        RootsEvidence memory e;
        e.last = lastOf(d);
        vm.assertTrue(_judge.isFaulty(d.header, evidenceOf(8, abi.encode(e))));
        d.header.priceRoot = 0;
        vm.assertFalse(_judge.isFaulty(d.header, evidenceOf(8, abi.encode(e))));
    }

    // What does not belong.

    function test_RevertWhen_the_end_is_not_that_of_the_trace() public {
        Draft memory d = firstBatch();
        TraceBounds memory bounds = boundsOf(d);
        bounds.last.liquidations += 1;
        expectRefused(d, 5, abi.encode(bounds), Trace.WrongStep.selector);
        d = firstBatch();
        StateEvidence memory e = stateOf(d);
        d.header.stateRoot = keccak256(abi.encode(e.parts));
        e.frame = d.frames[FILL];
        expectRefused(d, 6, abi.encode(e), Openings.WrongFrame.selector);
        (e.last, e.frame) = (openingOf(d, FILL), d.frames[FILL]);
        expectRefused(d, 6, abi.encode(e), Trace.NotLastStep.selector);
    }

    function test_RevertWhen_an_epoch_is_not_that_of_its_step() public {
        Draft memory d = secondBatch(firstBatch());
        EpochEvidence memory e =
            EpochEvidence(pairOf(d, TICK), d.frames[TICK], epochOne(), epochTwo());
        e.epoch.number += 1;
        expectRefused(d, 7, abi.encode(e), Openings.WrongPreimage.selector);
        (e.epoch, e.previousEpoch.number) = (epochTwo(), 7);
        expectRefused(d, 7, abi.encode(e), Openings.WrongPreimage.selector);
        (e.previousEpoch, e.frame) = (epochOne(), d.frames[IN_DOUBT]);
        expectRefused(d, 7, abi.encode(e), Openings.WrongFrame.selector);
        e.frame = d.frames[TICK];
        e.pair.step.dataEnd += 1;
        expectRefused(d, 7, abi.encode(e), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_epoch_of_the_columns_is_not_the_last() public {
        Draft memory d = firstBatch();
        RootsEvidence memory e = RootsEvidence(lastOf(d), epochTwo());
        expectRefused(d, 8, abi.encode(e), Openings.WrongPreimage.selector);
        e = RootsEvidence(openingOf(d, FILL), epochOne());
        expectRefused(d, 8, abi.encode(e), Trace.NotLastStep.selector);
    }

    function expectRefused(Draft memory d, uint8 rule, bytes memory body, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        _judge.isFaulty(d.header, evidenceOf(rule, body));
    }

    // Evidence that is none.

    function test_RevertWhen_the_evidence_is_no_rule_and_struct() public {
        Draft memory d = firstBatch();
        vm.expectRevert(Dispute.MalformedEvidence.selector);
        _judge.isFaulty(d.header, hex"01");
        vm.expectRevert(Dispute.MalformedEvidence.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(1), uint256(0x40)));
    }

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 9));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(9), uint256(0x20)));
    }

    // How each rule is asked.

    function evidenceOf(uint8 rule, bytes memory body) private pure returns (bytes memory) {
        return abi.encodePacked(rule, body);
    }

    function areEndsFaulty(Draft memory d) private view returns (bool) {
        return _judge.isFaulty(d.header, evidenceOf(5, abi.encode(boundsOf(d))));
    }

    function stateOf(Draft memory d) private pure returns (StateEvidence memory) {
        StateParts memory parts;
        parts.accountRoot = d.steps[d.count - 1].accountRoot;
        parts.totalsHash = d.header.totalsHash;
        parts.lastSeq = uint64(d.count);
        return StateEvidence(lastOf(d), d.frames[d.count - 1], parts);
    }

    function isStateFaulty(uint256 fault) private view returns (bool) {
        Draft memory d = firstBatch();
        StateEvidence memory e = stateOf(d);
        if (fault == 1) e.parts.accountRoot = keccak256("accounts");
        if (fault == 2) e.parts.totalsHash = keccak256("totals");
        if (fault == 3) e.parts.lastSeq += 1;
        d.header.stateRoot = keccak256(abi.encode(e.parts));
        return _judge.isFaulty(d.header, evidenceOf(6, abi.encode(e)));
    }

    function isEpochFaulty(uint64 number, uint64 time) private view returns (bool) {
        Draft memory d = secondBatch(firstBatch());
        Epoch memory epoch = epochTwo();
        (epoch.number, epoch.time) = (number, time);
        d.steps[TICK].epochHash = hashOfEpoch(epoch);
        seal(d);
        EpochEvidence memory e = EpochEvidence(pairOf(d, TICK), d.frames[TICK], epochOne(), epoch);
        return _judge.isFaulty(d.header, evidenceOf(7, abi.encode(e)));
    }
}
