// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Columns} from "../../contracts/libraries/Columns.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {ColumnOpening, Terms} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library the calldata that it reads.
contract MarginHarness {
    function ofPortfolio(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        uint256 collateralPriceE8,
        Terms calldata terms
    ) external pure returns (int256, uint256) {
        return Margin.ofPortfolio(leaf, columns, collateralPriceE8, terms);
    }

    function valueAt(bytes calldata values, uint256 slot) external pure returns (int64) {
        return Columns.valueAt(values, slot);
    }

    function lossAt(bytes calldata losses, uint256 slot) external pure returns (int32) {
        return Columns.lossAt(losses, slot);
    }

    function riskIndex(uint8 underlying, uint8 scenario) external pure returns (uint256) {
        return Columns.riskIndex(underlying, scenario);
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
        uint32 haircut,
        uint32 factor,
        uint256 seed
    ) public view {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = portfolio(seed);
        leaf.cashE6 = cashE6;
        leaf.collateralE8 = new uint64[](1);
        leaf.collateralE8[0] = amountE8;
        Terms memory terms;
        terms.haircutE6 = 1 + haircut % 999_999;
        terms.mmFactorE6 = 1 + factor % 1_000_000;
        (int256 balance, uint256 maintenance) = _margin.ofPortfolio(leaf, columns, priceE8, terms);
        vm.assertEq(balance, slowBalance(leaf, columns, priceE8, terms.haircutE6));
        vm.assertEq(maintenance, slowMaintenance(leaf, columns, terms.mmFactorE6));
    }

    function test_a_gain_in_one_underlying_does_not_pay_for_a_loss_in_another() public view {
        AccountLeaf memory leaf;
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(0, 1, 0);
        leaf.positions[1] = Position(256, 1, 0);
        ColumnOpening[] memory columns = new ColumnOpening[](2);
        columns[0] = column(0, int64(0), -1000);
        columns[1] = column(1, int64(0), 3);
        (, uint256 maintenance) = _margin.ofPortfolio(leaf, columns, 1, terms80());
        vm.assertEq(maintenance, 3); // ceil(0.8 x 3)
    }

    function test_collateral_is_rounded_down_twice() public view {
        AccountLeaf memory leaf;
        leaf.collateralE8 = new uint64[](1);
        leaf.collateralE8[0] = 99_999_999;
        Terms memory terms = terms80();
        terms.haircutE6 = 1;
        // floor(199 x 0.999999) = 198; floor(99,999,999 x 198 / 1e10) = 1.97.. -> 1
        (int256 balance,) = _margin.ofPortfolio(leaf, new ColumnOpening[](0), 199, terms);
        vm.assertEq(balance, 1);
    }

    function test_an_account_in_debt_without_positions_has_a_margin() public view {
        AccountLeaf memory leaf;
        leaf.cashE6 = -5;
        (int256 balance, uint256 maintenance) =
            _margin.ofPortfolio(leaf, new ColumnOpening[](0), 1, terms80());
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

    function test_columns_hold_negative_numbers_at_every_slot() public view {
        bytes memory values = abi.encodePacked(int64(-1), type(int64).min, type(int64).max);
        vm.assertEq(_margin.valueAt(values, 0), -1);
        vm.assertEq(_margin.valueAt(values, 1), type(int64).min);
        vm.assertEq(_margin.valueAt(values, 2), type(int64).max);
        bytes memory losses = abi.encodePacked(int32(-1), type(int32).min, type(int32).max);
        vm.assertEq(_margin.lossAt(losses, 0), -1);
        vm.assertEq(_margin.lossAt(losses, 1), type(int32).min);
        vm.assertEq(_margin.lossAt(losses, 2), type(int32).max);
    }

    function test_a_slot_beyond_the_column_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Columns.SlotNotListed.selector, 2, 2));
        _margin.valueAt(new bytes(23), 2);
        vm.expectRevert(abi.encodeWithSelector(Columns.SlotNotListed.selector, 1, 1));
        _margin.lossAt(new bytes(7), 1);
    }

    function test_a_scenario_beyond_the_grid_is_refused() public {
        vm.assertEq(_margin.riskIndex(1, 35), 71);
        vm.expectRevert(abi.encodeWithSelector(Columns.UnknownScenario.selector, 36));
        _margin.riskIndex(0, 36);
    }

    function test_positions_out_of_order_are_refused() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(3, 2);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 2));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
        (leaf, columns) = two(3, 3);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 3));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
    }

    function test_underlyings_out_of_order_are_refused() public {
        (AccountLeaf memory leaf,) = two(256, 1);
        ColumnOpening[] memory columns = new ColumnOpening[](2);
        columns[0] = column(1, 1, 1);
        columns[1] = column(0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionsOutOfOrder.selector, 1));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
    }

    function test_a_position_of_no_lots_is_refused() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 2);
        leaf.positions[1].lots = 0;
        vm.expectRevert(abi.encodeWithSelector(Margin.PositionEmpty.selector, 2));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
    }

    function test_an_underlying_that_is_held_must_be_opened() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 257);
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotOpened.selector, 1));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotOpened.selector, 0));
        _margin.ofPortfolio(leaf, new ColumnOpening[](0), 1, terms80());
    }

    function test_an_underlying_that_is_not_held_must_not_be_opened() public {
        (AccountLeaf memory leaf, ColumnOpening[] memory columns) = two(1, 2);
        columns[0].underlying = 1;
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotHeld.selector, 1));
        _margin.ofPortfolio(leaf, columns, 1, terms80());
        (leaf, columns) = two(1, 2);
        ColumnOpening[] memory twice = new ColumnOpening[](2);
        (twice[0], twice[1]) = (columns[0], columns[0]);
        vm.expectRevert(abi.encodeWithSelector(Margin.UnderlyingNotHeld.selector, 0));
        _margin.ofPortfolio(leaf, twice, 1, terms80());
    }

    function test_a_second_asset_cannot_be_priced() public {
        AccountLeaf memory leaf;
        leaf.collateralE8 = new uint64[](2);
        vm.expectRevert(abi.encodeWithSelector(Margin.TooManyAssets.selector, 2));
        _margin.ofPortfolio(leaf, new ColumnOpening[](0), 1, terms80());
    }

    function terms80() private pure returns (Terms memory terms) {
        terms.mmFactorE6 = 800_000;
        terms.haircutE6 = 150_000;
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

    function slowBalance(
        AccountLeaf memory leaf,
        ColumnOpening[] memory columns,
        uint256 priceE8,
        uint256 haircutE6
    ) private pure returns (int256 balance) {
        balance = leaf.cashE6;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position memory held = leaf.positions[p];
            bytes memory values = openingOf(columns, held.instrument).values;
            int256 value = signed(values, held.instrument % 256, 8);
            balance += int256(held.lots) * value - held.costE6;
        }
        uint256 price = priceE8 * (1e6 - haircutE6) / 1e6;
        balance += int256(uint256(leaf.collateralE8[0]) * price / 1e10);
    }

    function slowMaintenance(
        AccountLeaf memory leaf,
        ColumnOpening[] memory columns,
        uint256 factorE6
    ) private pure returns (uint256) {
        int256[2] memory losses;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position memory held = leaf.positions[p];
            bytes memory packed = openingOf(columns, held.instrument).losses;
            losses[held.instrument / 256] += held.lots * signed(packed, held.instrument % 256, 4);
        }
        uint256 scan = uint256(losses[0] > 0 ? losses[0] : int256(0))
            + uint256(losses[1] > 0 ? losses[1] : int256(0));
        return (scan * factorE6 + 999_999) / 1e6;
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
