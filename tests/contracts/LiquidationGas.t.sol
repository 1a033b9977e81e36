// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LiquidationVenue} from "./support/LiquidationVenue.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a verification costs its keeper: eight positions in two underlyings of 30 slots, two
/// collateral assets, 13 instructions and 6 epochs in the batch; cold storage, calldata and
/// intrinsic gas. `scripts/gas_snapshot.py` notices growth; these are what must never be passed.
contract LiquidationGasTest is LiquidationVenue {
    /// @dev The goal of `liquidation.verify.gas.positions_8`.
    uint256 private constant GOAL = 250_000;

    /// @dev The goal of `liquidation.verify.gas.positions_32`.
    uint256 private constant GOAL_32 = 400_000;

    /// @dev With the charge columns of both underlyings and the tier curves opened.
    uint256 private constant GOAL_CHARGES = 290_000;

    /// @dev What a second submission executes before it reverts.
    uint256 private constant LATE = 5000;

    uint256 private constant INTRINSIC = 21_000;

    /// @dev The target of a transaction is warm from the start; in a test it is cold.
    uint256 private constant COLD_TARGET = 2500;

    address private constant NEW_KEEPER = address(0xF1257);

    bytes private _input;
    bytes private _charged;
    bytes private _large;

    function setUp() public {
        deployVenue();
        Case memory earlier = fullCase(1);
        seal(earlier);
        verify(earlier);
        Case memory c = fullCase(8);
        seal(c);
        _input = abi.encodeCall(manager.verify, (c.header, c.instruction, c.witness));
        Case memory d = chargedCase(8);
        seal(d);
        _charged = abi.encodeCall(manager.verify, (d.header, d.instruction, d.witness));
        Case memory e = fullCase(32);
        seal(e);
        _large = abi.encodeCall(manager.verify, (e.header, e.instruction, e.witness));
    }

    function test_eight_positions_cost_a_new_keeper_less_than_the_goal() public {
        bytes memory input = _input;
        vm.prank(NEW_KEEPER);
        uint256 execution = executionGas(input);
        uint256 total = transactionGas(input, execution);
        vm.snapshotValue("liquidation", "verify.positions_8", total);
        vm.assertLe(total, GOAL);
    }

    function test_thirty_two_positions_cost_a_new_keeper_less_than_their_goal() public {
        bytes memory input = _large;
        vm.prank(NEW_KEEPER);
        uint256 execution = executionGas(input);
        uint256 total = transactionGas(input, execution);
        vm.snapshotValue("liquidation", "verify.positions_32", total);
        vm.assertLe(total, GOAL_32);
    }

    function test_eight_positions_with_their_charges_stay_below_their_goal() public {
        bytes memory input = _charged;
        vm.prank(NEW_KEEPER);
        uint256 execution = executionGas(input);
        uint256 total = transactionGas(input, execution);
        vm.snapshotValue("liquidation", "verify.charges", total);
        vm.assertLe(total, GOAL_CHARGES);
    }

    /// @dev K-2.
    function test_a_second_submission_loses_little() public {
        bytes memory input = _input;
        (bool done,) = address(manager).call(input);
        vm.assertTrue(done);
        vm.cool(address(manager));
        uint256 before = gasleft();
        (done,) = address(manager).call(input);
        uint256 used = before - gasleft();
        vm.assertFalse(done);
        vm.assertLe(used - COLD_TARGET, LATE);
    }

    function executionGas(bytes memory input) private returns (uint256) {
        address[6] memory all = [
            address(manager),
            address(settlement),
            address(hub),
            address(parameters),
            address(fund),
            address(cash)
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            vm.cool(all[i]);
        }
        uint256 before = gasleft();
        (bool done,) = address(manager).call(input);
        uint256 used = before - gasleft();
        vm.assertTrue(done);
        return used - COLD_TARGET;
    }

    /// @dev EIP-2028: 4 for a zero byte of calldata, 16 for another. EIP-7623: in all at least 10
    /// and 40.
    function transactionGas(bytes memory input, uint256 execution) private pure returns (uint256) {
        uint256 standard = 0;
        uint256 floor = 0;
        for (uint256 i = 0; i < input.length; ++i) {
            standard += input[i] == 0 ? 4 : 16;
            floor += input[i] == 0 ? 10 : 40;
        }
        uint256 used = standard + execution;
        return INTRINSIC + (used > floor ? used : floor);
    }
}
