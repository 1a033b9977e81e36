// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Scan, Scenario, Tail, VolatilityShock} from "../types/Pricing.sol";
import {SCENARIOS} from "../types/Units.sol";
import {Columns} from "./Columns.sol";
import {Rounding} from "./Rounding.sol";

/// @title Scenarios
/// @notice The 36 scenarios of one underlying in the order of the risk columns; mirrors
/// `offchain.core.scenarios`.
library Scenarios {
    uint8 private constant SHOCKS = 3;
    int256 private constant GRID_STEPS = 4;
    uint256 private constant FIRST_TAIL = 27;
    uint256 private constant FIRST_SKEW = SCENARIOS - 2;
    int256 private constant ONE = 1e6;
    int256 private constant MAX_MOVE_E6 = 9 * ONE;

    /// @notice Moves lie in (-1, 9]. [1e-6]
    error MoveOutOfRange(int256 moveE6);

    /// @notice One scenario of a scan grid.
    /// @dev `(k + 4) * 3 + v` moves the price by floor(k * range / 4) for k = -4..4, with
    /// volatility down, same, up for v = 0, 1, 2. Scenarios 27..33 are the tails, 34 and 35 the
    /// skews.
    function scenarioOf(Scan calldata scan, uint8 scenario)
        internal
        pure
        returns (Scenario memory stress)
    {
        require(scenario < SCENARIOS, Columns.UnknownScenario(scenario));
        if (scenario < FIRST_TAIL) {
            int256 k = int256(uint256(scenario / SHOCKS)) - GRID_STEPS;
            int256 moveE6 = Rounding.floorDiv(k * int256(uint256(scan.priceRangeE6)), GRID_STEPS);
            stress = Scenario(moveE6, VolatilityShock(scenario % SHOCKS), ONE);
        } else if (scenario < FIRST_SKEW) {
            Tail calldata tail = scan.tails[scenario - FIRST_TAIL];
            stress = Scenario(tail.moveE6, VolatilityShock.UP, int256(uint256(tail.weightE6)));
        } else {
            uint256 skew = uint256(VolatilityShock.FIRST_SKEW) + scenario - FIRST_SKEW;
            stress = Scenario(0, VolatilityShock(skew), ONE);
        }
        require(stress.moveE6 > -ONE && stress.moveE6 <= MAX_MOVE_E6, MoveOutOfRange(stress.moveE6));
    }
}
