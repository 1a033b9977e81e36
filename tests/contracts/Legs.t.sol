// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Legs} from "../../contracts/libraries/Legs.sol";
import {Position} from "../../contracts/types/Account.sol";
import {Leg, Terms} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library the calldata that it reads.
contract LegsHarness {
    function check(uint8 tier, Leg[] calldata legs, Position[] calldata positions, uint32 cap)
        external
        pure
    {
        Legs.check(tier, legs, positions, cap);
    }

    function triggerOf(uint8 tier, Terms calldata terms) external pure returns (uint32) {
        return Legs.triggerOf(tier, terms);
    }
}

contract LegsTest {
    uint8 private constant PARTIAL = 1;
    uint8 private constant FULL = 2;
    uint32 private constant CAP_E6 = 250_000;

    LegsHarness private _legs = new LegsHarness();

    function test_each_tier_has_its_trigger_and_there_are_two() public {
        Terms memory terms;
        (terms.partialTriggerE6, terms.fullTriggerE6) = (105, 100);
        vm.assertEq(_legs.triggerOf(1, terms), 105);
        vm.assertEq(_legs.triggerOf(2, terms), 100);
        vm.expectRevert(abi.encodeWithSelector(Legs.UnknownTier.selector, 0));
        _legs.triggerOf(0, terms);
        vm.expectRevert(abi.encodeWithSelector(Legs.UnknownTier.selector, 3));
        _legs.triggerOf(3, terms);
    }

    function test_a_full_liquidation_closes_everything() public {
        Leg[] memory legs = orders(3, -10, 257, 7);
        _legs.check(FULL, legs, held(), CAP_E6);
        legs[1].lots = 6;
        expect(FULL, legs, abi.encodeWithSelector(Legs.PositionNotClosed.selector, 257, -1));
        legs[1].lots = 8;
        expect(FULL, legs, abi.encodeWithSelector(Legs.PositionNotClosed.selector, 257, 1));
        legs[1] = Leg(258, 7, 1);
        expect(FULL, legs, abi.encodeWithSelector(Legs.LegWithoutPosition.selector, 258));
        expect(FULL, one(3, -10), abi.encodeWithSelector(Legs.LegCount.selector, 1, 2));
    }

    function test_a_full_liquidation_of_no_positions_has_no_legs() public view {
        _legs.check(FULL, new Leg[](0), new Position[](0), CAP_E6);
    }

    function test_the_largest_short_cannot_be_closed_by_a_wrap() public {
        Position[] memory positions = new Position[](1);
        positions[0] = Position(3, type(int32).min, 0);
        Leg[] memory legs = one(3, type(int32).min);
        vm.expectRevert(
            abi.encodeWithSelector(Legs.PositionNotClosed.selector, 3, -(int256(1) << 32))
        );
        _legs.check(FULL, legs, positions, CAP_E6);
    }

    function test_a_partial_liquidation_reduces_up_to_the_cap_rounded_up() public {
        _legs.check(PARTIAL, one(3, -3), held(), CAP_E6); // ceil(2.5)
        _legs.check(PARTIAL, one(257, 2), held(), CAP_E6); // ceil(1.75)
        _legs.check(PARTIAL, orders(3, -1, 257, 1), held(), CAP_E6);
        expect(PARTIAL, one(3, -4), abi.encodeWithSelector(Legs.LegAboveCap.selector, 3, -4, 3));
        expect(PARTIAL, one(257, 3), abi.encodeWithSelector(Legs.LegAboveCap.selector, 257, 3, 2));
    }

    function testFuzz_the_cap_is_the_smallest_count_not_below_the_share(
        int32 position,
        uint32 capE6
    ) public {
        vm.assume(position != 0);
        capE6 = 250_000 + capE6 % 250_001;
        Position[] memory positions = new Position[](1);
        positions[0] = Position(3, position, 0);
        int256 size = position < 0 ? -int256(position) : int256(position);
        int256 most = (size * int256(uint256(capE6)) + 999_999) / 1e6;
        int256 sign = position < 0 ? int256(1) : int256(-1);
        _legs.check(PARTIAL, one(3, int32(sign * most)), positions, capE6);
        Leg[] memory above = one(3, int32(sign * (most + 1)));
        vm.expectRevert(abi.encodeWithSelector(Legs.LegAboveCap.selector, 3, above[0].lots, most));
        _legs.check(PARTIAL, above, positions, capE6);
    }

    function test_a_leg_that_does_not_reduce_is_refused() public {
        bytes4 reason = Legs.LegNotReducing.selector;
        expect(PARTIAL, one(3, 1), abi.encodeWithSelector(reason, 3, 1, 10));
        expect(PARTIAL, one(3, 0), abi.encodeWithSelector(reason, 3, 0, 10));
        expect(PARTIAL, one(257, -1), abi.encodeWithSelector(reason, 257, -1, -7));
    }

    function test_a_leg_without_a_position_is_refused() public {
        bytes4 reason = Legs.LegWithoutPosition.selector;
        expect(PARTIAL, one(2, -1), abi.encodeWithSelector(reason, 2));
        expect(PARTIAL, one(4, -1), abi.encodeWithSelector(reason, 4));
        expect(PARTIAL, one(300, -1), abi.encodeWithSelector(reason, 300));
    }

    function test_legs_ascend_and_none_comes_twice() public {
        bytes4 reason = Legs.LegsOutOfOrder.selector;
        expect(PARTIAL, orders(257, 1, 3, -1), abi.encodeWithSelector(reason, 257, 3));
        expect(PARTIAL, orders(3, -1, 3, -1), abi.encodeWithSelector(reason, 3, 3));
    }

    function test_a_partial_liquidation_has_a_leg() public {
        expect(PARTIAL, new Leg[](0), abi.encodeWithSelector(Legs.NoLegs.selector));
    }

    function expect(uint8 tier, Leg[] memory legs, bytes memory reason) private {
        Position[] memory positions = held();
        vm.expectRevert(reason);
        _legs.check(tier, legs, positions, CAP_E6);
    }

    /// @dev Ten long in 3, seven short in 257.
    function held() private pure returns (Position[] memory positions) {
        positions = new Position[](2);
        positions[0] = Position(3, 10, 0);
        positions[1] = Position(257, -7, 0);
    }

    function one(uint16 instrument, int32 lots) private pure returns (Leg[] memory legs) {
        legs = new Leg[](1);
        legs[0] = Leg(instrument, lots, 1);
    }

    function orders(uint16 first, int32 firstLots, uint16 second, int32 secondLots)
        private
        pure
        returns (Leg[] memory legs)
    {
        legs = new Leg[](2);
        legs[0] = Leg(first, firstLots, 1);
        legs[1] = Leg(second, secondLots, 1);
    }
}
