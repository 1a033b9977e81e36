// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PricingRig} from "../support/PricingRig.sol";
import {vm} from "../support/Vm.sol";

/// @dev Ceilings a few percent above what a call executes when cells and table are cold, and the
/// snapshot of it. Calldata and intrinsic gas are not in them.
contract RiskCellGasTest is PricingRig {
    uint256 private constant OPTION = 40_000;
    uint256 private constant LINEAR = 10_000;
    uint256 private constant VALUE = 25_500;
    uint256 private constant PERPETUAL_ROW = 0;
    uint256 private constant CALL_ROW = 3;

    function setUp() public {
        deployPricing();
    }

    function test_every_loss_of_an_option_stays_below_its_ceiling() public {
        withinCeiling("option", rowAt(rows(), CALL_ROW), OPTION);
    }

    function test_every_loss_of_a_linear_instrument_stays_below_its_ceiling() public {
        withinCeiling("linear", rowAt(rows(), PERPETUAL_ROW), LINEAR);
    }

    function test_value_and_greeks_of_an_option_stay_below_their_ceiling() public {
        Row memory row = rowAt(rows(), CALL_ROW);
        bytes[3] memory inputs = [
            abi.encodeCall(cells.lotValue, (row.observation, row.places, row.instrument)),
            abi.encodeCall(cells.delta, (row.observation, row.places, row.instrument)),
            abi.encodeCall(cells.vega, (row.observation, row.places, row.instrument))
        ];
        string[3] memory names = ["value", "delta", "vega"];
        for (uint256 i = 0; i < inputs.length; ++i) {
            uint256 used = gasOf(inputs[i]);
            vm.snapshotValue("risk_cell", names[i], used);
            vm.assertLe(used, VALUE);
        }
    }

    function withinCeiling(string memory what, Row memory row, uint256 ceiling) private {
        uint256 worst = 0;
        for (uint8 s = 0; s < 36; ++s) {
            uint256 used = gasOf(
                abi.encodeCall(
                    cells.loss, (row.observation, row.places, row.scan, row.instrument, s)
                )
            );
            if (used > worst) worst = used;
        }
        vm.snapshotValue("risk_cell", what, worst);
        vm.assertLe(worst, ceiling);
    }

    function gasOf(bytes memory input) private returns (uint256 used) {
        vm.cool(address(cells));
        vm.cool(table);
        uint256 before = gasleft();
        (bool done,) = address(cells).staticcall(input);
        used = before - gasleft();
        vm.assertTrue(done);
    }
}
