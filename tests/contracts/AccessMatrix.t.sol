// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../../contracts/governance/Guardian.sol";
import {IGovernedLimits} from "../../contracts/interfaces/IGovernedLimits.sol";
import {AccessTable, vmState} from "./support/AccessTable.sol";
import {Surroundings} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Every restricted function of docs/ACCESS.md, called by every role and by a stranger.
contract AccessMatrixTest is AccessTable {
    /// @dev Zeros decode as any arguments: every array is then empty.
    uint256 private constant ARGUMENT_BYTES = 2048;

    error WronglyLetIn(string function_, string role);
    error WronglyRefused(string function_, string role);
    error NotTyped(string function_, string role, bytes reason);

    function setUp() public {
        deployVenue();
        loadTable();
    }

    function test_every_restricted_function_refuses_every_other_role() public {
        uint256 tried = 0;
        for (uint256 i = 0; i < rows.length; ++i) {
            refuse(rows[i], "stranger", STRANGER);
            for (uint256 j = 0; j < callers.length; ++j) {
                if (isOf(rows[i], callers[j])) continue;
                refuse(rows[i], callers[j], roleOf(callers[j]));
                tried += 1;
            }
        }
        vm.assertGe(tried, rows.length * (callers.length - 2));
    }

    function test_every_restricted_function_lets_its_own_roles_in() public {
        uint256 state = vmState.snapshotState();
        for (uint256 i = 0; i < rows.length; ++i) {
            uint256 tried = 0;
            for (uint256 j = 0; j < callers.length; ++j) {
                if (!isOf(rows[i], callers[j])) continue;
                letIn(rows[i], callers[j]);
                tried += 1;
                vm.assertTrue(vmState.revertToState(state));
            }
            vm.assertGe(tried, 1);
        }
    }

    function test_the_table_is_not_empty() public view {
        vm.assertGe(rows.length, 40);
        vm.assertGe(callers.length, 10);
    }

    function test_a_function_that_lets_everyone_in_is_caught() public {
        Surroundings open = new Surroundings();
        bytes4 selector = Surroundings.promoteStandby.selector;
        Row memory row = Row("open", address(open), selector, ",guardian,", "");
        vm.expectRevert(abi.encodeWithSelector(WronglyLetIn.selector, "open", "stranger"));
        this.refuse(row, "stranger", STRANGER);
    }

    function test_a_refusal_without_a_type_or_of_another_caller_is_caught() public {
        Surroundings open = new Surroundings();
        Row memory row = Row("mute", address(open), "none", ",guardian,", "");
        vm.expectRevert(abi.encodeWithSelector(NotTyped.selector, "mute", "stranger", ""));
        this.refuse(row, "stranger", STRANGER);

        bytes4 refusal = IGovernedLimits.NotGuardian.selector;
        row = Row(
            "behind another",
            contractOf("Guardian"), // whose holder is let in, and then refused as the guardian
            Guardian.pauseDeposits.selector,
            ",guardian,",
            bytes.concat(refusal)
        );
        vm.expectPartialRevert(NotTyped.selector);
        this.refuse(row, "holder", HOLDER);
    }

    function test_a_role_that_is_kept_out_of_its_own_function_is_caught() public {
        Row memory row = Row(
            "closed",
            contractOf("VaultLimits"),
            IGovernedLimits.pauseDeposits.selector,
            ",holder,",
            bytes.concat(IGovernedLimits.NotGuardian.selector)
        );
        vm.expectRevert(abi.encodeWithSelector(WronglyRefused.selector, "closed", "holder"));
        this.letIn(row, "holder");
    }

    function refuse(Row memory row, string memory role, address caller) public {
        (bool done, bytes memory reason) = callAs(row, caller);
        if (done) revert WronglyLetIn(row.name, role);
        if (!isRefusal(row, caller, reason)) revert NotTyped(row.name, role, reason);
    }

    /// @dev The arguments are nonsense, so the call may fail, but not for who calls.
    function letIn(Row memory row, string memory role) public {
        address caller = roleOf(role);
        (bool done, bytes memory reason) = callAs(row, caller);
        if (!done && isRefusal(row, caller, reason)) revert WronglyRefused(row.name, role);
    }

    function callAs(Row memory row, address caller) private returns (bool, bytes memory) {
        vm.prank(caller);
        return row.target.call(bytes.concat(row.selector, new bytes(ARGUMENT_BYTES)));
    }

    /// @dev One of the typed errors of the table, about this very caller.
    function isRefusal(Row memory row, address caller, bytes memory reason)
        private
        pure
        returns (bool)
    {
        if (reason.length < 36) return false;
        uint256 named;
        assembly ("memory-safe") {
            named := mload(add(reason, 0x24))
        }
        for (uint256 i = 0; i < row.refusals.length; i += 4) {
            bool isSame = true;
            for (uint256 j = 0; j < 4; ++j) {
                if (reason[j] != row.refusals[i + j]) isSame = false;
            }
            if (isSame) return named == uint256(uint160(caller));
        }
        return false;
    }
}
