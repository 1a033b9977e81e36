// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PlimsollTimelock} from "../../contracts/governance/PlimsollTimelock.sol";
import {IGovernedLimits} from "../../contracts/interfaces/IGovernedLimits.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {GovernanceHandler} from "./support/GovernanceHandler.sol";
import {vm} from "./support/Vm.sol";
import {PlantedLimits} from "./support/planted/PlantedLimits.sol";
import {PlantedParameters} from "./support/planted/PlantedParameters.sol";
import {PlantedTimelock} from "./support/planted/PlantedTimelock.sol";

contract HandlerOfPlantedLimits is GovernanceHandler {
    PlantedLimits.Bug private immutable _bug;

    constructor(PlantedLimits.Bug bug) {
        _bug = bug;
        start();
    }

    function newLimits(address governor, address guardianAt)
        internal
        override
        returns (IGovernedLimits)
    {
        return IGovernedLimits(
            address(new PlantedLimits(_bug, settings(governor, guardianAt), targets()))
        );
    }
}

contract HandlerOfPlantedParameters is GovernanceHandler {
    PlantedParameters.Bug private immutable _bug;

    constructor(PlantedParameters.Bug bug) {
        _bug = bug;
        start();
    }

    function newParameters(address governor, address riskSetter)
        internal
        override
        returns (IRiskParameters)
    {
        return IRiskParameters(
            address(new PlantedParameters(_bug, config(governor, riskSetter), firstTerms()))
        );
    }
}

contract HandlerOfPlantedTimelock is GovernanceHandler {
    bool private immutable _isHasty;

    constructor(bool isHasty) {
        _isHasty = isHasty;
        start();
    }

    function newTimelock(address guardianAt) internal override returns (PlimsollTimelock) {
        return PlimsollTimelock(
            payable(address(new PlantedTimelock(_isHasty, DELAY, proposers(), guardianAt)))
        );
    }
}

/// @dev Each rule that `GovernanceInvariantTest` holds is broken here on purpose, and is caught.
contract GovernancePlantedTest {
    function test_a_raise_of_the_outflow_at_once_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.RAISES_AT_ONCE);
        h.proposeOutflow(0, 9e12, 200_000, false);
        caught(h, "G-3");
    }

    function test_a_cap_without_a_ramp_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.NO_RAMP);
        h.proposeCap(1, 1e14, false);
        caught(h, "G-5");
    }

    function test_a_guardian_who_raises_a_cap_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.GUARDIAN_RAISES);
        h.brake(1, 1, 1000, 0, 100);
        caught(h, "G-1 guardian");
    }

    function test_a_pause_without_an_end_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.NEVER_ENDS);
        h.brake(0, 0, 0, 0, 100);
        h.pass(2 days - 1);
        h.pass(2 days - 1);
        caught(h, "72 h");
    }

    function test_a_guardian_who_stops_withdrawals_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.STOPS_OUTFLOW);
        h.brake(2, 0, 0, 50_000, 100);
        caught(h, "stopped");
    }

    function test_limits_that_anyone_sets_are_caught() external {
        GovernanceHandler h = new HandlerOfPlantedLimits(PlantedLimits.Bug.OPEN_TO_ALL);
        h.intrude(0, 0, 0);
        caught(h, "intrusion");
    }

    function test_a_tightening_that_loosens_is_caught() external {
        GovernanceHandler h =
            new HandlerOfPlantedParameters(PlantedParameters.Bug.TIGHTENS_ANYTHING);
        h.tighten(4, 50_001, true);
        caught(h, "G-1 terms");
    }

    function test_a_step_beyond_the_largest_is_caught() external {
        GovernanceHandler h =
            new HandlerOfPlantedParameters(PlantedParameters.Bug.TIGHTENS_ANYTHING);
        h.tighten(4, 500_000, false);
        caught(h, "G-2");
    }

    function test_a_second_step_in_a_period_is_caught() external {
        GovernanceHandler h =
            new HandlerOfPlantedParameters(PlantedParameters.Bug.TIGHTENS_ANYTHING);
        h.tighten(4, 50_000, true);
        vm.assertEq(h.violations("G-2"), 0);
        h.tighten(4, 50_000, true);
        caught(h, "G-2");
    }

    function test_a_hash_that_does_not_bind_the_terms_is_caught() external {
        GovernanceHandler h =
            new HandlerOfPlantedParameters(PlantedParameters.Bug.HASH_WITHOUT_TERMS);
        caught(h, "G-6");
    }

    function test_a_replaced_set_that_stays_acceptable_is_caught() external {
        GovernanceHandler h =
            new HandlerOfPlantedParameters(PlantedParameters.Bug.OLD_SETS_FOR_EVER);
        h.tighten(4, 50_000, true);
        vm.assertEq(h.violations("G-6"), 0);
        h.pass(1 days);
        caught(h, "G-6");
    }

    function test_a_timelock_that_does_not_wait_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedTimelock(true);
        h.proposeCap(1, 1e14, true);
        h.execute(0);
        caught(h, "G-1 early");
    }

    function test_an_approval_that_never_expires_is_caught() external {
        GovernanceHandler h = new HandlerOfPlantedTimelock(false);
        h.proposeCap(1, 1e14, true);
        for (uint256 i = 0; i < 20; ++i) {
            h.pass(1 days);
        }
        h.execute(0);
        caught(h, "G-4");
    }

    function caught(GovernanceHandler h, bytes32 rule) private view {
        vm.assertGe(h.violations(rule), 1);
    }
}
