// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GovernanceHandler} from "./support/GovernanceHandler.sol";
import {vm} from "./support/Vm.sol";

/// @dev Governance under random calls of every role and of none, against what was announced: G-1 to
/// G-6. `GovernancePlanted` shows that each of them bites.
contract GovernanceInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    GovernanceHandler private _handler;

    function setUp() public {
        _handler = new GovernanceHandler();
        _handler.start();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = _handler.pass.selector;
        selectors[1] = _handler.proposeCap.selector;
        selectors[2] = _handler.proposeOutflow.selector;
        selectors[3] = _handler.proposeTerms.selector;
        selectors[4] = _handler.execute.selector;
        selectors[5] = _handler.cancel.selector;
        selectors[6] = _handler.brake.selector;
        selectors[7] = _handler.tighten.selector;
        selectors[8] = _handler.intrude.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @dev All rules in one campaign: each needs the same long histories.
    function invariant_no_rule_of_governance_is_ever_broken() external view {
        holds("G-1 early");
        holds("G-1 terms");
        holds("G-1 guardian");
        holds("G-2");
        holds("G-3");
        holds("G-4");
        holds("G-5");
        holds("G-6");
        holds("72 h");
        holds("stopped");
        holds("intrusion");
    }

    /// @dev One fixed walk through every step, so that none of them is idle for want of luck.
    function test_every_step_of_the_handler_does_something() external {
        _handler.proposeCap(1, 1e14, false);
        _handler.proposeOutflow(0, 5e12, 400_000, false);
        _handler.proposeTerms(4, 100_001, "second", false);
        vm.assertEq(_handler.executed(), 3);
        _handler.proposeCap(2, 1e14, true);
        _handler.cancel(3, true);
        vm.assertEq(_handler.cancelled(), 1);
        _handler.execute(3);
        vm.assertEq(_handler.executed(), 3);
        _handler.tighten(4, 50_000, true);
        vm.assertEq(_handler.tightened(), 1);
        _handler.brake(0, 0, 0, 0, 100);
        _handler.brake(1, 0, 5, 0, 100);
        _handler.brake(2, 0, 0, 50_000, 100);
        vm.assertEq(_handler.braked(), 3);
        _handler.pass(1 days);
        _handler.intrude(0, 0, 0);
        this.invariant_no_rule_of_governance_is_ever_broken();
    }

    function holds(bytes32 rule) private view {
        vm.assertEq(_handler.violations(rule), 0);
    }
}
