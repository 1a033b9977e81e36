// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {RoleHandler} from "./support/RoleHandler.sol";
import {vm} from "./support/Vm.sol";
import {PlantedSweepVault} from "./support/planted/PlantedSweepVault.sol";

/// @dev INV-12: no role, and no sequence of calls by roles, touches a balance.
contract GovernanceCustodyInvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    RoleHandler private _handler;

    function setUp() public {
        _handler = new RoleHandler();
        _handler.start();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory selectors = new bytes4[](5);
        for (uint256 i = 0; i < 4; ++i) {
            selectors[i] = _handler.act.selector;
        }
        selectors[4] = _handler.pass.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(_handler), selectors);
    }

    function invariant_no_role_touches_a_balance() external view {
        untouched(_handler);
    }

    function untouched(RoleHandler h) public view {
        vm.assertEq(h.held(), h.DEPOSIT() + h.seeded());
        vm.assertEq(h.booked(), h.DEPOSIT() + h.seeded());
        vm.assertEq(h.balanceOfUser(), 0);
        vm.assertTrue(h.firstPrefix() != 0);
    }

    /// @dev Every row with many words: roles do get through, so the rule is not held by refusals.
    function test_roles_get_through_and_touch_nothing() external {
        for (uint256 which = 0; which < 60; ++which) {
            for (uint256 seed = 0; seed < 8; ++seed) {
                _handler.act(which, seed, keccak256(abi.encode(which, seed)));
            }
            untouched(_handler);
        }
        vm.assertGe(_handler.successes(), 20);
    }

    function test_a_governor_who_can_sweep_the_vault_is_caught() external {
        HandlerOfSweep h = new HandlerOfSweep();
        h.sweep();
        (bool isHeld,) = address(this).staticcall(abi.encodeCall(this.untouched, (h)));
        vm.assertFalse(isHeld);
    }
}

contract HandlerOfSweep is RoleHandler {
    constructor() {
        start();
        addRow("sweep", address(vault()), PlantedSweepVault.sweep.selector);
    }

    /// @dev The row that was added, with an amount that the vault holds.
    function sweep() external {
        this.act(rows.length - 1, 0, bytes32(uint256(130) << 248));
    }

    function newVault(
        ICollateralVault.Config memory made,
        ICollateralVault.NewAsset[] memory assets
    ) internal override {
        CollateralVault planted = new PlantedSweepVault(made, assets);
        vm.assertEq(address(planted), contractOf("CollateralVault"));
    }
}
