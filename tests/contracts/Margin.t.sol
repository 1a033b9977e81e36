// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Charges} from "../../contracts/libraries/Charges.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {ColumnOpening, Terms} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library the calldata that it reads.
contract MarginHarness {
    function ofAccount(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        bytes calldata collateral,
        bytes calldata curves,
        Terms calldata terms
    ) external pure returns (int256, uint256) {
        return Margin.ofAccount(leaf, columns, collateral, curves, terms);
    }

    function isBelow(int256 balance, uint256 mm, uint32 trigger) external pure returns (bool) {
        return Margin.isBelow(balance, mm, trigger);
    }
}

/// @dev E-3, on chain.
contract MarginTest {
    uint256 private constant SLOTS = 5;

    MarginHarness private _margin = new MarginHarness();

    function testFuzz_margins_equal_a_slow_twin(
        int64 cashE6,
        uint40 amountE8,
        uint64 priceE8,
        uint32 offsetCapUsd,
        uint32 ratios,
        uint256 seed
    ) public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = portfolio(seed);
        leaf.cashE6 = cashE6;
        leaf.collateralE8 = new uint64[](1);
        leaf.collateralE8[0] = amountE8;
        Terms memory terms;
        terms.offsetE6 = ratios % 1_000_001;
        terms.breakdownE6 = 1 + (ratios >> 3) % 1_000_000;
        terms.mmFactorE6 = 1 + (ratios >> 7) % 1_000_000;
        terms.offsetCapUsd = offsetCapUsd % 10_000;
        if (columns.length == 2 && seed >> 255 == 1) columns[1].scenario = 1;
        (int256 balance, uint256 maintenance) =
            _margin.ofAccount(leaf, columns, credited(priceE8), "", terms);
        vm.assertEq(balance, slowBalance(leaf, columns, priceE8));
        vm.assertEq(maintenance, slowMaintenance(leaf, columns, terms));
    }

    function test_a_gain_pays_for_a_loss_in_one_scenario_up_to_the_cap() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = oneOfEach(-1000, 1003);
        // offset floor(1000 x 0.5) = 500; 1003 - 500 = 503, below ceil(1003 x 0.85) = 853
        vm.assertEq(maintenanceOf(leaf, columns, terms80()), 683); // ceil(0.8 x 853)
        Terms memory terms = terms80();
        terms.breakdownE6 = 1;
        vm.assertEq(maintenanceOf(leaf, columns, terms), 403); // ceil(0.8 x 503)
        terms.offsetCapUsd = 0;
        vm.assertEq(maintenanceOf(leaf, columns, terms), 803); // ceil(0.8 x 1003)
    }

    function test_a_gain_pays_for_nothing_in_another_scenario() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = oneOfEach(-1000, 1003);
        columns[0].scenario = 35;
        Terms memory terms = terms80();
        terms.breakdownE6 = 1_000_000;
        vm.assertEq(maintenanceOf(leaf, columns, terms), 803);
        terms.breakdownE6 = 1;
        vm.assertEq(maintenanceOf(leaf, columns, terms), 1);
    }

    function test_losses_in_one_scenario_are_summed_whole_and_apart_by_the_breakdown() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = oneOfEach(1000, 1000);
        vm.assertEq(maintenanceOf(leaf, columns, terms80()), 1600);
        columns[1].scenario = 1;
        vm.assertEq(maintenanceOf(leaf, columns, terms80()), 1360); // 0.8 x 0.85 x 2000
    }

    function test_a_gain_larger_than_all_losses_requires_nothing_less() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = oneOfEach(-100_000, 10);
        Terms memory terms = terms80();
        terms.breakdownE6 = 1;
        vm.assertEq(maintenanceOf(leaf, columns, terms), 1); // ceil(0.8 x ceil(10 x 1e-6))
    }

    function test_charges_add_roll_holding_and_delta_to_the_loss() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = charged();
        // Long 2 and short 1 lots, in one expiry: roll |2 x 7 - 7| = 7; holding 2 x 11 + 13 = 35;
        // net delta 2 x 5000 - 5000, charged 1 %: 50; loss 2 x 100 - 100. 0.8 x 192, rounded up
        vm.assertEq(requiredWith(leaf, columns, tiers(10_000, 0, 0)), 154);
        columns[0].charges = rows(5000, 7, 0, 5000, 7, 1); // in two expiries: roll 14 + 7
        vm.assertEq(requiredWith(leaf, columns, tiers(10_000, 0, 0)), 165); // 0.8 x 206
    }

    function test_unwinding_is_a_floor_and_not_a_summand() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = charged();
        // Unwinding 3 lots x 17 = 51, four times: 204, above 100 + 7 + 35.
        vm.assertEq(requiredWith(leaf, columns, tiers(0, 4_000_000, 0)), 164); // 0.8 x 204
        vm.assertEq(requiredWith(leaf, columns, tiers(0, 2_000_000, 0)), 114); // 0.8 x 142
    }

    function test_charges_that_are_not_opened_add_nothing() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = charged();
        columns[0].charges = "";
        vm.assertEq(requiredWith(leaf, columns, ""), 80);
    }

    function test_a_linear_account_pays_a_curve_of_each_notional() public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = charged();
        columns[0].losses = "";
        for (uint8 mode = 0; mode < 2; ++mode) {
            leaf.mode = mode;
            // 1 % of 10,000 and of 5,000: nothing nets, and the factor of portfolios has no part.
            vm.assertEq(requiredWith(leaf, columns, tiers(0, 0, 10_000)), 150);
        }
    }

    function test_a_mode_that_does_not_exist_is_refused() public {
        AccountLeaf memory leaf;
        leaf.mode = 3;
        vm.expectRevert(abi.encodeWithSelector(Margin.UnknownMode.selector, 3));
        _margin.ofAccount(leaf, new ColumnOpening[](0), "", "", terms80());
    }

    function test_a_slot_beyond_the_charges_is_refused() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = charged();
        leaf.mode = 1;
        leaf.positions[1].instrument = 2;
        vm.expectRevert(abi.encodeWithSelector(Charges.ChargesNotListed.selector, 2, 2));
        _margin.ofAccount(leaf, columns, "", tiers(0, 0, 10_000), terms80());
    }

    function test_an_account_in_debt_without_positions_has_a_margin() public view {
        AccountLeaf memory leaf;
        leaf.mode = 2;
        leaf.cashE6 = -5;
        (int256 balance, uint256 maintenance) =
            _margin.ofAccount(leaf, new ColumnOpening[](0), "", "", terms80());
        vm.assertEq(balance, -5);
        vm.assertEq(maintenance, 0);
        vm.assertTrue(_margin.isBelow(balance, maintenance, 1_000_000));
    }

    function test_the_trigger_itself_is_not_below_the_trigger() public view {
        vm.assertFalse(_margin.isBelow(105, 100, 1_050_000));
        vm.assertTrue(_margin.isBelow(104, 100, 1_050_000));
        vm.assertFalse(_margin.isBelow(0, 0, 1_050_000));
        vm.assertTrue(_margin.isBelow(0, 1, 1));
        vm.assertTrue(_margin.isBelow(-1, 0, 1));
    }

    function test_positions_out_of_order_are_refused() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(3, 2);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 2));
        _margin.ofAccount(leaf, columns, "", "", terms80());
        (leaf, columns) = two(3, 3);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 3));
        _margin.ofAccount(leaf, columns, "", "", terms80());
    }

    function test_underlyings_out_of_order_are_refused() public {
        (AccountLeaf memory leaf,) = two(256, 1);
        ColumnOpening[] memory columns = new ColumnOpening[](2);
        columns[0] = column(1, 1, 1);
        columns[1] = column(0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 1));
        _margin.ofAccount(leaf, columns, "", "", terms80());
    }

    function test_a_position_of_no_lots_is_refused() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 2);
        leaf.positions[1].lots = 0;
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionEmpty.selector, 2));
        _margin.ofAccount(leaf, columns, "", "", terms80());
    }

    function test_an_underlying_that_is_held_must_be_opened() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 257);
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotOpened.selector, 1));
        _margin.ofAccount(leaf, columns, "", "", terms80());
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotOpened.selector, 0));
        _margin.ofAccount(leaf, new ColumnOpening[](0), "", "", terms80());
    }

    function test_an_underlying_that_is_not_held_must_not_be_opened() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 2);
        columns[0].underlying = 1;
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotHeld.selector, 1));
        _margin.ofAccount(leaf, columns, "", "", terms80());
        (leaf, columns) = two(1, 2);
        ColumnOpening[] memory twice = new ColumnOpening[](2);
        (twice[0], twice[1]) = (columns[0], columns[0]);
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotHeld.selector, 0));
        _margin.ofAccount(leaf, twice, "", "", terms80());
    }

    function terms80() private pure returns (Terms memory terms) {
        terms.mmFactorE6 = 800_000;
        terms.offsetE6 = 500_000;
        terms.breakdownE6 = 850_000;
        terms.offsetCapUsd = 1000;
    }

    function maintenanceOf(
        AccountLeaf memory leaf,
        ColumnOpening[] memory columns,
        Terms memory terms
    ) private view returns (uint256 maintenance) {
        (, maintenance) = _margin.ofAccount(leaf, columns, "", "", terms);
    }

    function requiredWith(
        AccountLeaf memory leaf,
        ColumnOpening[] memory columns,
        bytes memory curves
    ) private view returns (uint256 due) {
        (, due) = _margin.ofAccount(leaf, columns, "", curves, terms80());
    }

    /// @dev One lot in each of two underlyings, which lose this in scenario 0.
    function oneOfEach(int32 first, int32 second)
        private
        pure
        returns (AccountLeaf memory leaf, ColumnOpening[] memory columns)
    {
        leaf.mode = 2;
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(0, 1, 0);
        leaf.positions[1] = Position(256, 1, 0);
        columns = new ColumnOpening[](2);
        columns[0] = column(0, int64(0), first);
        columns[1] = column(1, int64(0), second);
    }

    /// @dev Long 2 lots and short 1, with charges, in one expiry.
    function charged()
        private
        pure
        returns (AccountLeaf memory leaf, ColumnOpening[] memory columns)
    {
        leaf.mode = 2;
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(0, 2, 0);
        leaf.positions[1] = Position(1, -1, 0);
        columns = new ColumnOpening[](1);
        columns[0] = column(0, int64(0), 100);
        columns[0].charges = rows(5000, 7, 0, 5000, 7, 0);
    }

    /// @dev Two rows of charges: delta, roll and expiry of each; 11 long, 13 short, 17 to unwind.
    function rows(int32 d0, int32 r0, uint8 g0, int32 d1, int32 r1, uint8 g1)
        private
        pure
        returns (bytes memory)
    {
        bytes memory rest = abi.encodePacked(uint32(11), uint32(13), uint32(17));
        return bytes.concat(abi.encodePacked(d0, r0, rest, g0), abi.encodePacked(d1, r1, rest, g1));
    }

    /// @dev Curves of one line each, the same for two underlyings.
    function tiers(uint32 delta, uint32 unwind, uint32 linear) private pure returns (bytes memory) {
        bytes memory one = abi.encodePacked(
            uint8(1), delta, uint96(0), uint8(1), unwind, uint96(0), uint8(1), linear, uint96(0)
        );
        return bytes.concat(one, one);
    }

    /// @dev One asset in one bracket without an end.
    function credited(uint64 priceE8) private pure returns (bytes memory) {
        return bytes.concat(abi.encodePacked(type(uint64).max, priceE8), new bytes(48));
    }

    /// @dev A column in which every slot has the same numbers.
    function column(uint8 underlying, int64 value, int32 loss)
        private
        pure
        returns (ColumnOpening memory opening)
    {
        opening.underlying = underlying;
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            opening.values = abi.encodePacked(opening.values, value);
            opening.losses = abi.encodePacked(opening.losses, loss);
        }
    }

    function two(uint16 first, uint16 second)
        private
        pure
        returns (AccountLeaf memory leaf, ColumnOpening[] memory columns)
    {
        leaf.mode = 2;
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(first, 1, 0);
        leaf.positions[1] = Position(second, -1, 0);
        columns = new ColumnOpening[](1);
        columns[0] = column(0, 1, 1);
    }

    /// @dev Each of the ten slots is held or not by a bit of the seed; extremes appear often.
    function portfolio(uint256 seed)
        private
        pure
        returns (AccountLeaf memory leaf, ColumnOpening[] memory columns)
    {
        uint256 held = seed & 0x3ff;
        uint256 count = 0;
        for (uint256 i = 0; i < 2 * SLOTS; ++i) {
            count += held >> i & 1;
        }
        leaf.mode = 2;
        leaf.positions = new Position[](count);
        uint256 place = 0;
        for (uint256 i = 0; i < 2 * SLOTS; ++i) {
            if (held >> i & 1 == 0) continue;
            int32 lots = int32(int256(draw(seed, i, "lots")));
            uint16 instrument = uint16(i / SLOTS << 8 | i % SLOTS);
            leaf.positions[place++] = Position(
                instrument, lots == 0 ? type(int32).min : lots, int64(int256(draw(seed, i, "cost")))
            );
        }
        uint256 opened = (held & 0x1f != 0 ? 1 : 0) + (held >> SLOTS != 0 ? 1 : 0);
        columns = new ColumnOpening[](opened);
        for (uint256 c = 0; c < opened; ++c) {
            columns[c].underlying = opened == 2 ? uint8(c) : held & 0x1f != 0 ? 0 : 1;
            columns[c].values = bytes.concat(bytes32(draw(seed, c, "v")), bytes8(0));
            columns[c].losses = abi.encodePacked(bytes20(bytes32(draw(seed, c, "l"))));
        }
    }

    function draw(uint256 seed, uint256 i, string memory what) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i, what)));
    }

    function slowBalance(AccountLeaf memory leaf, ColumnOpening[] memory columns, uint256 priceE8)
        private
        pure
        returns (int256 balance)
    {
        balance = leaf.cashE6;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position memory held = leaf.positions[p];
            bytes memory values = openingOf(columns, held.instrument).values;
            int256 value = signed(values, held.instrument % 256, 8);
            balance += int256(held.lots) * value - held.costE6;
        }
        balance += int256(uint256(leaf.collateralE8[0]) * priceE8 / 1e10);
    }

    function slowMaintenance(
        AccountLeaf memory leaf,
        ColumnOpening[] memory columns,
        Terms memory terms
    ) private pure returns (uint256) {
        int256[2] memory losses;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position memory held = leaf.positions[p];
            bytes memory packed = openingOf(columns, held.instrument).losses;
            losses[held.instrument / 256] += held.lots * signed(packed, held.instrument % 256, 4);
        }
        uint256 lost = positive(losses[0]) + positive(losses[1]);
        uint256 scan = (lost * terms.breakdownE6 + 999_999) / 1e6;
        if (columns.length < 2 || columns[0].scenario == columns[1].scenario) {
            uint256 offset = (positive(-losses[0]) + positive(-losses[1])) * terms.offsetE6 / 1e6;
            uint256 cap = uint256(terms.offsetCapUsd) * 1e6;
            if (offset > cap) offset = cap;
            if (offset < lost && lost - offset > scan) scan = lost - offset;
        }
        return (scan * terms.mmFactorE6 + 999_999) / 1e6;
    }

    function positive(int256 value) private pure returns (uint256) {
        return value > 0 ? uint256(value) : 0;
    }

    function openingOf(ColumnOpening[] memory columns, uint16 instrument)
        private
        pure
        returns (ColumnOpening memory)
    {
        return columns[0].underlying == instrument / 256 ? columns[0] : columns[1];
    }

    /// @dev Big-endian two's complement, byte by byte.
    function signed(bytes memory packed, uint256 slot, uint256 width)
        private
        pure
        returns (int256 number)
    {
        for (uint256 i = 0; i < width; ++i) {
            number = number * 256 + int256(uint256(uint8(packed[slot * width + i])));
        }
        if (number >= int256(2 ** (8 * width - 1))) number -= int256(2 ** (8 * width));
    }
}
