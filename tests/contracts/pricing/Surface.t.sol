// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../../../contracts/libraries/FixedPoint.sol";
import {RiskCell} from "../../../contracts/libraries/RiskCell.sol";
import {Surface} from "../../../contracts/libraries/Surface.sol";
import {Volatility} from "../../../contracts/libraries/Volatility.sol";
import {Shape} from "../../../contracts/types/Pricing.sol";
import {Json} from "../support/Json.sol";
import {vm} from "../support/Vm.sol";

contract SurfaceTest {
    using Json for Json.Case;

    uint256 private constant LIMIT = 10e8;
    uint256 private constant DAY = 1 days * 1e9;

    function test_smiles_are_those_of_python_on_every_bit() public view {
        Json.File memory file =
            Json.open("tests/vectors/risk_cell_steps.json", "plimsoll.risk_cell_steps.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            int256[] memory n = here.integers("smile");
            Shape memory shape = Surface.decode(n[1], n[2], n[3], n[4]);
            uint256 volatility = Surface.volatility(uint256(n[0]), shape, n[6], uint256(n[5]));
            vm.assertEq(volatility, here.number("smileVolatility"));
        }
    }

    function testFuzz_a_smile_stays_between_a_quarter_of_the_middle_and_the_limit(
        uint40 middle,
        uint32[4] memory feeds,
        int64 log,
        uint64 time
    ) public pure {
        Shape memory shape = Surface.decode(
            int256(uint256(feeds[0])),
            int256(uint256(feeds[1])),
            int256(uint256(feeds[2])),
            int256(uint256(feeds[3]))
        );
        uint256 cut = middle < LIMIT ? middle : LIMIT;
        uint256 volatility = Surface.volatility(middle, shape, log, time);
        // w0 / 16 is rounded down, which matters where w0 has few digits.
        if (cut * cut * time > 1e24) vm.assertTrue(volatility >= cut / 5);
        vm.assertLe(volatility, LIMIT);
    }

    function testFuzz_at_the_money_every_smile_has_its_own_volatility(
        uint32 middle,
        uint32[4] memory feeds,
        uint64 time
    ) public pure {
        Shape memory shape = Surface.decode(
            int256(uint256(feeds[0])),
            int256(uint256(feeds[1])),
            int256(uint256(feeds[2])),
            int256(uint256(feeds[3]))
        );
        uint256 cut = middle < LIMIT ? middle : LIMIT;
        vm.assertEq(Surface.volatility(middle, shape, 0, time), cut);
    }

    function testFuzz_a_smile_without_a_slope_is_flat(uint32 middle, int64 log, uint64 time)
        public
        pure
    {
        Shape memory shape = Surface.decode(1e8, 1.5e8, 5.5e8, 1.5e8);
        uint256 cut = middle < LIMIT ? middle : LIMIT;
        vm.assertEq(Surface.volatility(middle, shape, log, time), cut);
    }

    function test_a_shape_outside_its_ranges_is_cut_to_them() public pure {
        Shape memory low = Surface.decode(1, 1, 1, 1);
        vm.assertEq(low.slopeE8, 0);
        vm.assertEq(low.tiltE8, -1e8);
        vm.assertEq(low.centreE8, -4e8);
        vm.assertEq(low.widthE8, 1e4);
        Shape memory high = Surface.decode(1e13, 1e13, 1e13, 1e13);
        vm.assertEq(high.slopeE8, 1e8); // 2 / (1 + |rho|)
        vm.assertEq(high.tiltE8, 1e8);
        vm.assertEq(high.centreE8, 4e8);
        vm.assertEq(high.widthE8, 4e8);
        vm.assertEq(Surface.decode(1e13, 2e8, 5e8, 2e8).slopeE8, 2e8);
    }

    function test_thirty_days_are_the_unit_of_a_shock() public pure {
        vm.assertEq(Volatility.dayScaleE8(30, 300_000), 1e8);
        vm.assertEq(Volatility.dayScaleE8(30, 0), 1e8);
        vm.assertEq(Volatility.dayScaleE8(1, 0), 1e8);
        vm.assertTrue(Volatility.dayScaleE8(29, 300_000) > 1e8);
        vm.assertTrue(Volatility.dayScaleE8(31, 300_000) < 1e8);
    }

    function test_days_are_whole_and_between_one_and_730() public pure {
        vm.assertEq(Volatility.daysToExpiry(0), 1);
        vm.assertEq(Volatility.daysToExpiry(2 * DAY - 1), 1);
        vm.assertEq(Volatility.daysToExpiry(2 * DAY), 2);
        vm.assertEq(Volatility.daysToExpiry(730 * DAY), 730);
        vm.assertEq(Volatility.daysToExpiry(900 * DAY), 730);
    }

    function testFuzz_the_log_of_a_move_is_the_difference_of_two_logs(uint32 move) public pure {
        int256 moveE6 = int256(uint256(move % 10e6)) - 999_999;
        int256 moved = FixedPoint.ln(uint256(1e6 + moveE6));
        vm.assertEq(RiskCell.logOfMove(moveE6), moved - FixedPoint.ln(1e6));
    }
}
