// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Charges, GROUPS} from "../../contracts/libraries/Charges.sol";
import {Collateral} from "../../contracts/libraries/Collateral.sol";
import {Columns} from "../../contracts/libraries/Columns.sol";
import {Curves} from "../../contracts/libraries/Curves.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the libraries the calldata that they read.
contract ColumnLibraries {
    function valueAt(bytes calldata values, uint256 slot) external pure returns (int64) {
        return Columns.valueAt(values, slot);
    }

    function lossAt(bytes calldata losses, uint256 slot) external pure returns (int32) {
        return Columns.lossAt(losses, slot);
    }

    function riskIndex(uint8 underlying, uint8 scenario) external pure returns (uint256) {
        return Columns.riskIndex(underlying, scenario);
    }

    function readCharges(bytes calldata charges, uint256 slot) external pure {
        Charges.Row memory row;
        Charges.read(row, charges, slot);
    }

    function curveAt(bytes calldata curves, uint256 place, uint256 amountE6)
        external
        pure
        returns (uint256)
    {
        return Curves.charge(amountE6, Curves.linesAt(curves, place));
    }

    function creditOf(uint64[] calldata amounts, bytes calldata column)
        external
        pure
        returns (uint256)
    {
        return Collateral.creditOf(amounts, column);
    }
}

/// @dev What is packed is read as it was written, and nothing beyond its end.
contract ColumnsTest {
    ColumnLibraries private _columns = new ColumnLibraries();

    function test_columns_hold_negative_numbers_at_every_slot() public view {
        bytes memory values = abi.encodePacked(int64(-1), type(int64).min, type(int64).max);
        vm.assertEq(_columns.valueAt(values, 0), -1);
        vm.assertEq(_columns.valueAt(values, 1), type(int64).min);
        vm.assertEq(_columns.valueAt(values, 2), type(int64).max);
        bytes memory losses = abi.encodePacked(int32(-1), type(int32).min, type(int32).max);
        vm.assertEq(_columns.lossAt(losses, 0), -1);
        vm.assertEq(_columns.lossAt(losses, 1), type(int32).min);
        vm.assertEq(_columns.lossAt(losses, 2), type(int32).max);
    }

    function test_a_slot_beyond_the_column_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Columns.SlotNotListed.selector, 2, 2));
        _columns.valueAt(new bytes(23), 2);
        vm.expectRevert(abi.encodeWithSelector(Columns.SlotNotListed.selector, 1, 1));
        _columns.lossAt(new bytes(7), 1);
    }

    function test_a_scenario_beyond_the_grid_is_refused() public {
        vm.assertEq(_columns.riskIndex(1, 35), 71);
        vm.expectRevert(abi.encodeWithSelector(Columns.UnknownScenario.selector, 36));
        _columns.riskIndex(0, 36);
    }

    function test_an_expiry_beyond_the_limit_is_refused() public {
        bytes memory charges = bytes.concat(row(31), row(32));
        _columns.readCharges(charges, 0);
        vm.expectRevert(abi.encodeWithSelector(Charges.UnknownGroup.selector, 32));
        _columns.readCharges(charges, 1);
    }

    /// @dev Of another length it would not compile: `Margin` states the length as a number.
    function test_the_rolls_of_an_underlying_have_a_place_for_each_group() public pure {
        Margin.Net memory net;
        int256[GROUPS] memory rollsE6 = net.rollsE6;
        vm.assertEq(rollsE6.length, GROUPS);
    }

    function test_a_curve_is_the_largest_of_its_lines_rounded_up() public view {
        // 1 % up to 1000 USD, 2 % above.
        bytes memory curve = bytes.concat(
            bytes1(0x02),
            abi.encodePacked(uint32(10_000), uint96(0)),
            abi.encodePacked(uint32(20_000), uint96(1000e6 * 10_000))
        );
        vm.assertEq(_columns.curveAt(curve, 0, 0), 0);
        vm.assertEq(_columns.curveAt(curve, 0, 1), 1); // 0.01 rounds up
        vm.assertEq(_columns.curveAt(curve, 0, 1000e6), 10e6);
        vm.assertEq(_columns.curveAt(curve, 0, 1000e6 + 1), 10e6 + 1);
        vm.assertEq(_columns.curveAt(curve, 0, 3000e6), 50e6);
        // Beyond 2**57 nothing is added.
        uint256 most = _columns.curveAt(curve, 0, 1 << 57);
        vm.assertEq(_columns.curveAt(curve, 0, 1 << 60), most);
        vm.assertTrue(_columns.curveAt(curve, 0, (1 << 57) - 1e6) < most);
    }

    function test_a_curve_that_the_set_lacks_is_refused() public {
        bytes memory three = bytes.concat(line(1), line(2), line(3));
        bytes memory one = bytes.concat(three, three);
        vm.assertEq(_columns.curveAt(one, 5, 1_000_000), 3);
        bytes4 reason = Curves.CurveMissing.selector;
        vm.expectRevert(abi.encodeWithSelector(reason, 6));
        _columns.curveAt(one, 6, 1);
        vm.expectRevert(abi.encodeWithSelector(reason, 7));
        _columns.curveAt(one, 7, 1);
        vm.expectRevert(abi.encodeWithSelector(reason, 0));
        _columns.curveAt("", 0, 1);
        vm.expectRevert(abi.encodeWithSelector(reason, 0));
        _columns.curveAt(hex"01", 0, 1);
    }

    function test_collateral_counts_by_brackets_and_is_rounded_down_once() public view {
        uint64[] memory amounts = new uint64[](1);
        // Up to 10 units 3e9 each, to 20 units 2e9, above nothing.
        bytes memory brackets = bytes.concat(
            abi.encodePacked(uint64(10), uint64(3e9), uint64(20), uint64(2e9)), new bytes(32)
        );
        uint64[6] memory given = [uint64(0), 3, 4, 10, 19, 25];
        uint8[6] memory worth = [0, 0, 1, 3, 4, 5]; // of 0, 0.9, 1.2, 3, 4.8, 5
        for (uint256 i = 0; i < 6; ++i) {
            amounts[0] = given[i];
            vm.assertEq(_columns.creditOf(amounts, brackets), worth[i]);
        }
    }

    function test_an_asset_beyond_the_column_is_refused_when_it_is_held() public {
        uint64[] memory amounts = new uint64[](2);
        amounts[0] = 1;
        _columns.creditOf(amounts, new bytes(64));
        amounts[1] = 1;
        vm.expectRevert(abi.encodeWithSelector(Collateral.AssetNotListed.selector, 2));
        _columns.creditOf(amounts, new bytes(127));
    }

    function test_a_slot_beyond_the_charges_is_refused() public {
        bytes memory charges = bytes.concat(row(0), row(0), new bytes(20));
        _columns.readCharges(charges, 1);
        vm.expectRevert(abi.encodeWithSelector(Charges.ChargesNotListed.selector, 2, 2));
        _columns.readCharges(charges, 2);
    }

    /// @dev A row of charges in an expiry.
    function row(uint8 group) private pure returns (bytes memory) {
        return bytes.concat(new bytes(20), bytes1(group));
    }

    /// @dev A curve of one line.
    function line(uint32 rate) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), rate, uint96(0));
    }
}
