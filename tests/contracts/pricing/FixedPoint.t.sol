// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Black76} from "../../../contracts/libraries/Black76.sol";
import {FixedPoint} from "../../../contracts/libraries/FixedPoint.sol";
import {Json} from "../support/Json.sol";
import {vm} from "../support/Vm.sol";

contract FixedPointTest {
    using Json for Json.Case;

    int256 private constant ONE = 1 << 56;

    function test_logarithms_powers_and_roots_are_those_of_python() public view {
        Json.File memory file =
            Json.open("tests/vectors/risk_cell_steps.json", "plimsoll.risk_cell_steps.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            vm.assertEq(FixedPoint.ln(here.number("forward")), here.signed("logForward"));
            vm.assertEq(FixedPoint.ln(here.number("strike")), here.signed("logStrike"));
            vm.assertEq(FixedPoint.ln(here.number("wide")), here.signed("logWide"));
            vm.assertEq(FixedPoint.exp(here.signed("exponent")), here.number("power"));
            uint256 root = Black76.rootOfTime(here.number("remaining"));
            vm.assertEq(root, here.number("root"));
            uint256 volatility = here.number("volatility");
            vm.assertEq(Black76.totalVolatilityFrom(volatility, root), here.number("total"));
        }
    }

    function test_the_logarithm_knows_one_and_the_powers_of_two() public pure {
        vm.assertEq(FixedPoint.ln(1), 0);
        int256 two = FixedPoint.ln(2);
        for (uint256 power = 0; power < 96; ++power) {
            int256 excess = FixedPoint.ln(1 << power) - int256(power) * two;
            // What 2**-56 x power leaves out, and no more.
            vm.assertTrue(excess >= 0 && excess <= int256(power));
        }
    }

    function test_the_power_of_zero_is_one() public pure {
        vm.assertEq(FixedPoint.exp(0), uint256(ONE));
    }

    function testFuzz_the_logarithm_never_falls(uint96 value) public pure {
        vm.assume(value > 0 && value < type(uint96).max);
        vm.assertTrue(FixedPoint.ln(value) <= FixedPoint.ln(uint256(value) + 1));
    }

    function testFuzz_a_product_has_the_sum_of_the_logarithms(uint48 a, uint48 b) public pure {
        vm.assume(a > 0 && b > 0);
        int256 sum = FixedPoint.ln(a) + FixedPoint.ln(b);
        int256 rest = FixedPoint.ln(uint256(a) * b) - sum;
        vm.assertTrue(rest >= -1 && rest <= 2);
    }

    function testFuzz_the_power_of_a_logarithm_leads_back(uint64 value) public pure {
        vm.assume(value > 0);
        int256 logarithm = FixedPoint.ln(value);
        vm.assume(logarithm <= 32 * ONE);
        uint256 back = FixedPoint.exp(logarithm) >> 56;
        // The logarithm is rounded down by 2**-56, so the power by that share of the value.
        vm.assertTrue(back <= value && value - back <= 2 + (uint256(value) >> 54));
    }

    function testFuzz_the_root_is_the_largest_that_fits(uint64 numerator, uint64 denominator)
        public
        pure
    {
        vm.assume(denominator > 0);
        uint256 root = FixedPoint.squareRoot(numerator, denominator, 58);
        uint256 square = (uint256(numerator) << 116) / denominator;
        vm.assertTrue(root * root <= square && square < (root + 1) * (root + 1));
    }

    function testFuzz_eight_decimals_round_down_to_a_binary_fraction(int64 value) public pure {
        int256 fraction = FixedPoint.ofE8(value);
        int256 scaled = int256(value) << 56;
        vm.assertTrue(fraction * 1e8 <= scaled && scaled < (fraction + 1) * 1e8);
    }
}
