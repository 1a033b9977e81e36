// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Columns} from "../../contracts/libraries/Columns.sol";
import {FixedPoint} from "../../contracts/libraries/FixedPoint.sol";
import {Normal} from "../../contracts/libraries/Normal.sol";
import {Quotes} from "../../contracts/libraries/Quotes.sol";
import {Scenarios} from "../../contracts/libraries/Scenarios.sol";
import {Volatility} from "../../contracts/libraries/Volatility.sol";
import {NormalTable} from "../../contracts/pricing/NormalTable.sol";
import {RiskCells} from "../../contracts/pricing/RiskCells.sol";
import {PricingRig} from "./support/PricingRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library a call that can revert.
contract FixedPointHarness {
    function ln(uint256 value) external pure returns (int256) {
        return FixedPoint.ln(value);
    }

    function exp(int256 exponent) external pure returns (uint256) {
        return FixedPoint.exp(exponent);
    }
}

/// @dev What cannot be priced is refused, by every entry that would have to price it.
contract RiskCellsTest is PricingRig {
    uint8 private constant PERPETUAL = 0;
    uint8 private constant CALL = 2;
    uint8 private constant FIRST_TAIL = 27;
    uint8 private constant FIRST_SKEW = 34;
    int64 private constant LIMIT = int64(1) << 46;

    FixedPointHarness private _math = new FixedPointHarness();

    function setUp() public {
        deployPricing();
    }

    function test_a_table_with_one_wrong_bit_is_refused() public {
        bytes memory changed = coefficients();
        changed[7] ^= 0x01;
        bytes32 hash = keccak256(bytes.concat(hex"00", changed));
        vm.expectRevert(abi.encodeWithSelector(Normal.WrongTable.selector, hash));
        new NormalTable(changed);
    }

    function test_a_table_that_is_too_long_or_too_short_is_refused() public {
        vm.expectPartialRevert(Normal.WrongTable.selector);
        new NormalTable(bytes.concat(coefficients(), hex"00"));
        vm.expectPartialRevert(Normal.WrongTable.selector);
        new NormalTable("");
    }

    function test_cells_read_no_other_table() public {
        bytes32 hash = address(this).codehash;
        vm.expectRevert(abi.encodeWithSelector(Normal.WrongTable.selector, hash));
        new RiskCells(address(this));
        vm.expectPartialRevert(Normal.WrongTable.selector);
        new RiskCells(address(0xdead));
    }

    function test_a_logarithm_outside_its_range_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(FixedPoint.LogOutOfRange.selector, 0));
        _math.ln(0);
        vm.expectRevert(abi.encodeWithSelector(FixedPoint.LogOutOfRange.selector, 1 << 96));
        _math.ln(1 << 96);
        _math.ln((1 << 96) - 1);
    }

    function test_an_exponent_outside_its_range_is_refused() public {
        int256 last = 32 << 56;
        _math.exp(last);
        _math.exp(-last);
        vm.expectRevert(abi.encodeWithSelector(FixedPoint.ExponentOutOfRange.selector, last + 1));
        _math.exp(last + 1);
        vm.expectRevert(abi.encodeWithSelector(FixedPoint.ExponentOutOfRange.selector, -last - 1));
        _math.exp(-last - 1);
    }

    function test_a_scenario_beyond_the_last_is_refused() public {
        expectLoss(call(), 36, abi.encodeWithSelector(Columns.UnknownScenario.selector, 36));
        expectLoss(call(), 255, abi.encodeWithSelector(Columns.UnknownScenario.selector, 255));
    }

    function test_a_move_that_leaves_no_price_is_refused() public {
        Row memory row = perpetual();
        bytes4 reason = Scenarios.MoveOutOfRange.selector;
        row.scan.tails[0].moveE6 = -1e6;
        expectLoss(row, FIRST_TAIL, abi.encodeWithSelector(reason, -1e6));
        row.scan.tails[0].moveE6 = 9e6 + 1;
        expectLoss(row, FIRST_TAIL, abi.encodeWithSelector(reason, 9e6 + 1));
        row.scan.priceRangeE6 = 1e6;
        expectLoss(row, 0, abi.encodeWithSelector(reason, -1e6));
    }

    function test_a_tilt_that_takes_the_whole_volatility_is_refused() public {
        Row memory row = call();
        row.scan.skews[0].capE6 = 1e6;
        bytes memory reason = abi.encodeWithSelector(Volatility.CapOutOfRange.selector, 1e6);
        expectLoss(row, FIRST_SKEW, reason);
    }

    function test_a_kind_that_does_not_exist_is_refused() public {
        Row memory row = call();
        row.instrument.kind = 4;
        expectAll(row, abi.encodeWithSelector(Quotes.UnknownKind.selector, 4));
    }

    function test_a_strike_where_none_belongs_is_refused_and_none_where_one_belongs() public {
        bytes4 reason = Quotes.StrikeOutOfRange.selector;
        (Row memory option, Row memory linear) = (call(), perpetual());
        linear.instrument.strikeE8 = 1;
        expectAll(linear, abi.encodeWithSelector(reason, 1));
        option.instrument.strikeE8 = 0;
        expectAll(option, abi.encodeWithSelector(reason, 0));
        option.instrument.strikeE8 = 1 << 46;
        expectAll(option, abi.encodeWithSelector(reason, 1 << 46));
    }

    function test_only_a_perpetual_has_no_expiry() public {
        bytes4 reason = Quotes.ExpiryOutOfRange.selector;
        (Row memory option, Row memory linear) = (call(), perpetual());
        linear.instrument.expiryNs = 1;
        expectAll(linear, abi.encodeWithSelector(reason, 1));
        option.instrument.expiryNs = 0;
        expectAll(option, abi.encodeWithSelector(reason, 0));
    }

    function test_a_tick_that_is_no_multiple_of_the_lot_divisor_is_refused() public {
        bytes4 reason = Quotes.LotOutOfRange.selector;
        Row memory row = call();
        uint64 divisor = row.instrument.lotDivisor;
        row.instrument.tickE8 = divisor + 1;
        expectAll(row, abi.encodeWithSelector(reason, divisor, divisor + 1));
        row.instrument.tickE8 = 0;
        expectAll(row, abi.encodeWithSelector(reason, divisor, 0));
        (row.instrument.lotDivisor, row.instrument.tickE8) = (0, 1);
        expectAll(row, abi.encodeWithSelector(reason, 0, 1));
    }

    function test_a_number_of_a_report_outside_its_range_is_refused() public {
        bytes4 reason = Quotes.MedianOutOfRange.selector;
        int64[4] memory wrong = [int64(0), -1, LIMIT, type(int64).min];
        // Forward, volatility, slope, tilt, centre, width; the index is not read.
        for (uint16 feed = 1; feed < 7; ++feed) {
            for (uint256 i = 0; i < wrong.length; ++i) {
                Row memory row = call();
                setMedian(row, feed, wrong[i]);
                expectAll(row, abi.encodeWithSelector(reason, feed, wrong[i]));
            }
        }
        Row memory linear = perpetual();
        setMedian(linear, 0, LIMIT);
        expectAll(linear, abi.encodeWithSelector(reason, 0, LIMIT));
    }

    function test_a_feed_beyond_the_report_is_refused() public {
        Row memory row = call();
        row.places.width = 7;
        expectAll(row, abi.encodeWithSelector(Columns.SlotNotListed.selector, 7, 7));
    }

    function call() private view returns (Row memory row) {
        row = rowAt(rows(), 3);
        vm.assertEq(row.instrument.kind, CALL);
    }

    function perpetual() private view returns (Row memory row) {
        row = rowAt(rows(), 0);
        vm.assertEq(row.instrument.kind, PERPETUAL);
    }

    function expectLoss(Row memory row, uint8 scenario, bytes memory reason) private {
        vm.expectRevert(reason);
        cells.loss(row.observation, row.places, row.scan, row.instrument, scenario);
    }

    function expectAll(Row memory row, bytes memory reason) private {
        expectLoss(row, 0, reason);
        vm.expectRevert(reason);
        cells.lotValue(row.observation, row.places, row.instrument);
        vm.expectRevert(reason);
        cells.delta(row.observation, row.places, row.instrument);
        vm.expectRevert(reason);
        cells.vega(row.observation, row.places, row.instrument);
    }

    function setMedian(Row memory row, uint256 feed, int64 value) private pure {
        bytes8 packed = bytes8(uint64(value));
        for (uint256 i = 0; i < 8; ++i) {
            row.observation.medians[8 * feed + i] = packed[i];
        }
    }
}
