// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Json} from "../support/Json.sol";
import {PricingRig} from "../support/PricingRig.sol";
import {vm} from "../support/Vm.sol";

/// @dev Rows that Python wrote: each number is the same on every bit.
contract RiskCellVectorsTest is PricingRig {
    function setUp() public {
        deployPricing();
    }

    function test_the_losses_of_every_row_are_those_of_python() public view {
        Json.File memory file = rows();
        for (uint256 r = 0; r < file.count; ++r) {
            Row memory row = rowAt(file, r);
            vm.assertEq(row.losses.length, 36);
            for (uint8 s = 0; s < 36; ++s) {
                int256 loss = cells.loss(row.observation, row.places, row.scan, row.instrument, s);
                vm.assertEq(loss, row.losses[s]);
            }
        }
    }

    function test_values_and_greeks_of_every_row_are_those_of_python() public view {
        Json.File memory file = rows();
        for (uint256 r = 0; r < file.count; ++r) {
            Row memory row = rowAt(file, r);
            (int256 mark, int256 value) =
                cells.lotValue(row.observation, row.places, row.instrument);
            vm.assertEq(mark, row.mark);
            vm.assertEq(value, row.lotValue);
            vm.assertEq(cells.delta(row.observation, row.places, row.instrument), row.delta);
            vm.assertEq(cells.vega(row.observation, row.places, row.instrument), row.vega);
        }
    }
}
