// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rounding} from "../../../contracts/libraries/Rounding.sol";
import {vm} from "../support/Vm.sol";

contract SignedRoundingTest {
    function test_a_negative_quotient_is_not_truncated() public pure {
        vm.assertEq(Rounding.floorDiv(-7, 2), -4);
        vm.assertEq(Rounding.ceilDiv(-7, 2), -3);
        vm.assertEq(Rounding.floorDiv(7, 2), 3);
        vm.assertEq(Rounding.ceilDiv(7, 2), 4);
        vm.assertEq(Rounding.floorDiv(-8, 2), -4);
        vm.assertEq(Rounding.ceilDiv(-8, 2), -4);
        vm.assertEq(Rounding.floorDiv(0, 2), 0);
        vm.assertEq(Rounding.ceilDiv(0, 2), 0);
    }

    function test_the_ends_of_the_type_are_divided_like_the_rest() public pure {
        (int256 low, int256 high) = (type(int256).min, type(int256).max);
        vm.assertEq(Rounding.floorDiv(low, 1), low);
        vm.assertEq(Rounding.ceilDiv(high, 1), high);
        vm.assertEq(Rounding.floorDiv(low, high), -2);
        vm.assertEq(Rounding.ceilDiv(low, high), -1);
        vm.assertEq(Rounding.floorDiv(-1, high), -1);
        vm.assertEq(Rounding.ceilDiv(1, high), 1);
    }

    function testFuzz_they_enclose_the_quotient(int192 a, uint56 divisor) public pure {
        vm.assume(divisor > 0);
        int256 d = int256(uint256(divisor));
        int256 floor = Rounding.floorDiv(a, d);
        vm.assertTrue(floor * d <= a && a < (floor + 1) * d);
        vm.assertEq(Rounding.ceilDiv(a, d), -Rounding.floorDiv(-int256(a), d));
    }
}
