// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {RiskParameters} from "../../contracts/risk/RiskParameters.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Adoption by the governor, who is this contract: relations, versions, grace.
contract RiskParametersTest is GovernanceRig {
    IRiskParameters private _parameters;

    event ParametersAdopted(
        uint64 indexed version,
        bytes32 indexed paramsHash,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash,
        Terms terms
    );
    event RiskSetterNamed(address indexed riskSetter);

    function setUp() public {
        vm.warp(START);
        _parameters = newParameters(address(this), RISK_SETTER);
    }

    function test_the_first_set_is_adopted_at_construction() public view {
        bytes32 hash = _parameters.paramsHash();
        vm.assertEq(_parameters.version(), 1);
        vm.assertEq(hash, hashOf(firstTerms(), "curves", "listing", "document"));
        vm.assertEq(_parameters.termsOf(hash).keeperFeeE6, 5e6);
        vm.assertEq(_parameters.documentHashOf(hash), "document");
        vm.assertEq(_parameters.governor(), address(this));
        vm.assertEq(_parameters.riskSetter(), RISK_SETTER);
        vm.assertTrue(_parameters.isAcceptable(hash));
    }

    function test_an_adopted_set_becomes_current_and_the_old_one_stays_readable() public {
        bytes32 old = _parameters.paramsHash();
        Terms memory next = firstTerms();
        next.mmFactorE6 = 900_000;
        bytes32 hash = hashOf(next, "curves 2", "listing 2", "document 2");
        vm.expectEmit(address(_parameters));
        emit ParametersAdopted(2, hash, "curves 2", "listing 2", "document 2", next);
        _parameters.adopt(next, "curves 2", "listing 2", "document 2");
        vm.assertEq(_parameters.version(), 2);
        vm.assertEq(_parameters.paramsHash(), hash);
        vm.assertEq(_parameters.termsOf(hash).mmFactorE6, 900_000);
        vm.assertEq(_parameters.termsOf(old).mmFactorE6, 800_000);
        vm.assertEq(_parameters.curvesHashOf(hash), "curves 2");
        vm.assertEq(_parameters.curvesHashOf(old), "curves");
        vm.assertEq(_parameters.listingRootOf(hash), "listing 2");
        vm.assertEq(_parameters.listingRootOf(old), "listing");
        vm.assertEq(_parameters.documentHashOf(hash), "document 2");
        vm.assertEq(_parameters.documentHashOf(old), "document");
    }

    function test_a_replaced_set_is_acceptable_until_its_grace_ends() public {
        bytes32 old = _parameters.paramsHash();
        vm.assertEq(_parameters.acceptedUntil(old), 0);
        _parameters.adopt(firstTerms(), "curves", "listing", "second");
        vm.assertEq(_parameters.acceptedUntil(old), START + GRACE);
        vm.assertTrue(_parameters.isAcceptable(_parameters.paramsHash()));
        vm.warp(START + GRACE - 1);
        vm.assertTrue(_parameters.isAcceptable(old));
        vm.warp(START + GRACE);
        vm.assertFalse(_parameters.isAcceptable(old));
        vm.assertTrue(_parameters.isAcceptable(_parameters.paramsHash()));
    }

    function test_a_second_change_does_not_take_the_grace_of_the_first() public {
        bytes32 first = _parameters.paramsHash();
        _parameters.adopt(firstTerms(), "curves", "listing", "second");
        bytes32 second = _parameters.paramsHash();
        vm.warp(START + 10);
        _parameters.adopt(firstTerms(), "curves", "listing", "third");
        vm.assertTrue(_parameters.isAcceptable(first));
        vm.assertTrue(_parameters.isAcceptable(second));
        vm.warp(START + GRACE);
        vm.assertFalse(_parameters.isAcceptable(first));
        vm.assertTrue(_parameters.isAcceptable(second));
    }

    function test_a_set_may_come_back_and_is_then_acceptable_for_ever() public {
        bytes32 first = _parameters.paramsHash();
        _parameters.adopt(firstTerms(), "curves", "listing", "second");
        _parameters.adopt(firstTerms(), "curves", "listing", "document");
        vm.assertEq(_parameters.version(), 3);
        vm.warp(START + 10 * uint256(GRACE));
        vm.assertTrue(_parameters.isAcceptable(first));
    }

    function test_a_set_that_was_never_adopted_is_unknown_and_not_acceptable() public {
        vm.assertFalse(_parameters.isAcceptable("none"));
        vm.assertFalse(_parameters.isAcceptable(0));
        bytes memory reason =
            abi.encodeWithSelector(IRiskParameters.UnknownParameters.selector, bytes32("none"));
        vm.expectRevert(reason);
        _parameters.termsOf("none");
        vm.expectRevert(reason);
        _parameters.curvesHashOf("none");
        vm.expectRevert(reason);
        _parameters.listingRootOf("none");
        vm.expectRevert(reason);
        _parameters.documentHashOf("none");
    }

    function test_RevertWhen_anyone_but_the_governor_adopts_or_names() public {
        address[2] memory others = [STRANGER, RISK_SETTER];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(IRiskParameters.NotGovernor.selector, others[i]);
            vm.prank(others[i]);
            vm.expectRevert(reason);
            _parameters.adopt(firstTerms(), "curves", "listing", "second");
            vm.prank(others[i]);
            vm.expectRevert(reason);
            _parameters.setRiskSetter(others[i]);
        }
    }

    function test_the_governor_names_another_risk_setter_or_none() public {
        vm.expectEmit(address(_parameters));
        emit RiskSetterNamed(STRANGER);
        _parameters.setRiskSetter(STRANGER);
        vm.assertEq(_parameters.riskSetter(), STRANGER);
        _parameters.setRiskSetter(address(0));
        vm.assertEq(_parameters.riskSetter(), address(0));
    }

    function test_RevertWhen_the_adopted_set_is_the_current_one() public {
        vm.expectRevert(IRiskParameters.NoChange.selector);
        _parameters.adopt(firstTerms(), "curves", "listing", "document");
    }

    function test_RevertWhen_a_maintenance_factor_is_outside_its_range() public {
        Terms memory t = firstTerms();
        t.mmFactorE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 0));
        t.mmFactorE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 1_000_001));
        accept(t, t.mmFactorE6 = 1_000_000);
    }

    function test_RevertWhen_triggers_are_out_of_order() public {
        Terms memory t = firstTerms();
        t.fullTriggerE6 = 0;
        bytes4 reason = IRiskParameters.TriggersOutOfOrder.selector;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, 0));
        t.fullTriggerE6 = t.partialTriggerE6 + 1;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, t.fullTriggerE6));
        accept(t, t.fullTriggerE6 = t.partialTriggerE6);
    }

    function test_RevertWhen_a_cap_is_outside_25_to_50_percent() public {
        Terms memory t = firstTerms();
        t.partialCapE6 = 249_999;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 249_999));
        t.partialCapE6 = 500_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 500_001));
        accept(t, t.partialCapE6 = 500_000);
    }

    function test_RevertWhen_an_offset_is_more_than_the_gain() public {
        Terms memory t = firstTerms();
        t.offsetE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.OffsetOutOfRange.selector, 1_000_001));
        accept(t, t.offsetE6 = 1_000_000);
        accept(t, t.offsetE6 = 0);
    }

    function test_RevertWhen_a_breakdown_is_nothing_or_more_than_all() public {
        Terms memory t = firstTerms();
        t.breakdownE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.BreakdownOutOfRange.selector, 0));
        t.breakdownE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.BreakdownOutOfRange.selector, 1_000_001));
        accept(t, t.breakdownE6 = 1_000_000);
    }

    function test_RevertWhen_a_part_of_the_set_is_missing() public {
        vm.expectRevert(IRiskParameters.NoCurves.selector);
        _parameters.adopt(firstTerms(), 0, "listing", "document");
        vm.expectRevert(IRiskParameters.NoListing.selector);
        _parameters.adopt(firstTerms(), "curves", 0, "document");
        vm.expectRevert(IRiskParameters.NoDocument.selector);
        _parameters.adopt(firstTerms(), "curves", "listing", 0);
    }

    function test_RevertWhen_the_first_set_breaks_a_relation() public {
        Terms memory t = firstTerms();
        t.breakdownE6 = 0;
        vm.expectRevert(
            abi.encodeWithSelector(IRiskParameters.BreakdownOutOfRange.selector, uint32(0))
        );
        new RiskParameters(config(address(this), RISK_SETTER), t, "c", "l", "d");
    }

    function test_RevertWhen_the_governor_or_the_step_is_missing() public {
        IRiskParameters.Config memory c = config(address(0), RISK_SETTER);
        vm.expectRevert(IRiskParameters.ZeroAddress.selector);
        new RiskParameters(c, firstTerms(), "c", "l", "d");
        c = config(address(this), RISK_SETTER);
        (c.maxStepE6, c.stepPeriod) = (0, STEP_PERIOD);
        refuseStep(c);
        (c.maxStepE6, c.stepPeriod) = (500_001, STEP_PERIOD);
        refuseStep(c);
        (c.maxStepE6, c.stepPeriod) = (500_000, 0);
        refuseStep(c);
        c.stepPeriod = 1;
        new RiskParameters(c, firstTerms(), "c", "l", "d");
    }

    function testFuzz_every_term_and_every_hash_changes_the_hash(uint8 field, uint32 d) public {
        vm.assume(d != 0);
        Terms memory t = firstTerms();
        field %= 11;
        if (field == 0) t.mmFactorE6 = 1 + d % 799_999;
        if (field == 1) t.partialTriggerE6 += 1 + d % 1e6;
        if (field == 2) t.fullTriggerE6 -= 1 + d % 999_999;
        if (field == 3) t.partialCapE6 += 1 + d % 2e5;
        if (field == 4) t.offsetE6 += 1 + d % 5e5;
        if (field == 5) t.breakdownE6 -= 1 + d % 8e5;
        if (field == 6) t.keeperFeeE6 = 5e6 ^ d;
        if (field == 7) t.offsetCapUsd = 5e6 ^ d;
        bytes32[3] memory hashes = [bytes32("curves"), "listing", "document"];
        if (field > 7) hashes[field - 8] = bytes32(uint256(d));
        bytes32 before = _parameters.paramsHash();
        _parameters.adopt(t, hashes[0], hashes[1], hashes[2]);
        vm.assertTrue(_parameters.paramsHash() != before);
        vm.assertEq(_parameters.paramsHash(), hashOf(t, hashes[0], hashes[1], hashes[2]));
    }

    function refuse(Terms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        _parameters.adopt(t, "curves", "listing", "second");
    }

    /// @param value What was set last, so that it stands where it is read.
    function accept(Terms memory t, uint32 value) private {
        _parameters.adopt(t, "curves", "listing", bytes32(uint256(value) + 1));
    }

    function refuseStep(IRiskParameters.Config memory c) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskParameters.StepOutOfRange.selector, c.maxStepE6, c.stepPeriod
            )
        );
        new RiskParameters(c, firstTerms(), "c", "l", "d");
    }

    function hashOf(Terms memory t, bytes32 curves, bytes32 listing, bytes32 document)
        private
        pure
        returns (bytes32)
    {
        bytes32 termsHash = keccak256(
            abi.encode(
                t.mmFactorE6,
                t.partialTriggerE6,
                t.fullTriggerE6,
                t.partialCapE6,
                t.offsetE6,
                t.breakdownE6,
                t.keeperFeeE6,
                t.offsetCapUsd
            )
        );
        return keccak256(abi.encode(termsHash, curves, listing, document));
    }
}
