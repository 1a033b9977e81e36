// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rounding} from "../../contracts/libraries/Rounding.sol";
import {vm} from "./support/Vm.sol";

contract RoundingTest {
    function test_floor_and_ceiling_differ_by_one_unless_exact() public pure {
        vm.assertEq(Rounding.mulDivFloor(7, 3, 2), 10);
        vm.assertEq(Rounding.mulDivCeil(7, 3, 2), 11);
        vm.assertEq(Rounding.mulDivFloor(8, 3, 2), 12);
        vm.assertEq(Rounding.mulDivCeil(8, 3, 2), 12);
        vm.assertEq(Rounding.mulDivFloor(0, 3, 2), 0);
        vm.assertEq(Rounding.mulDivCeil(0, 3, 2), 0);
    }

    function testFuzz_they_enclose_the_quotient(uint112 a, uint112 b, uint64 d) public pure {
        vm.assume(d > 0);
        uint256 product = uint256(a) * b;
        uint256 floor = Rounding.mulDivFloor(a, b, d);
        uint256 ceiling = Rounding.mulDivCeil(a, b, d);
        vm.assertTrue(floor * d <= product && product < (floor + 1) * d);
        vm.assertTrue(ceiling * d >= product && product + d > ceiling * d);
    }
}
