// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPyth} from "../../contracts/interfaces/IPyth.sol";
import {IReferenceSource} from "../../contracts/interfaces/IReferenceSource.sol";
import {AggregatorSource} from "../../contracts/oracle/AggregatorSource.sol";
import {PythSource} from "../../contracts/oracle/PythSource.sol";
import {SetAggregator, SetPyth} from "./support/OracleSources.sol";
import {vm} from "./support/Vm.sol";

/// @dev Prices of other oracles: in our units, or refused with the reason.
contract ReferenceSourceTest {
    uint256 private constant START = 1_760_000_000;
    uint256 private constant MAX_AGE = 3600;
    bytes32 private constant ID = keccak256("BTC/USD");

    SetAggregator private _aggregator;
    SetPyth private _pyth;
    AggregatorSource private _source;
    PythSource private _pythSource;

    function setUp() public {
        vm.warp(START);
        _aggregator = new SetAggregator(8);
        _pyth = new SetPyth();
        _source = new AggregatorSource(_aggregator, MAX_AGE);
        _pythSource = new PythSource(_pyth, ID, MAX_AGE, 10_000);
    }

    function test_an_answer_comes_with_its_age() public {
        _aggregator.set(7, 110_000e8, START - 60, 7);
        (int64 priceE8, uint256 age) = _source.read();
        vm.assertEq(priceE8, 110_000e8);
        vm.assertEq(age, 60);
    }

    function test_other_decimals_become_eight_rounded_down() public {
        vm.assertEq(normalised(0, 110_000), 110_000e8);
        vm.assertEq(normalised(6, 110_000_123_456), 11_000_012_345_600);
        vm.assertEq(normalised(18, 1e18 + 1e10 - 1), 1e8);
        vm.assertEq(normalised(18, 1e18 + 1e10), 1e8 + 1);
        vm.assertEq(normalised(36, 1e28), 1);
    }

    function testFuzz_a_price_is_never_more_than_the_source_said(uint8 decimals, int256 answer)
        public
    {
        decimals %= 37;
        answer = int256(uint256(answer) % 2 ** 62) + 1;
        SetAggregator other = new SetAggregator(decimals);
        other.set(1, answer, START, 1);
        AggregatorSource source = new AggregatorSource(other, MAX_AGE);
        try source.read() returns (int64 priceE8, uint256) {
            uint256 scaled = uint256(uint64(priceE8)) * 10 ** decimals;
            vm.assertLe(scaled, uint256(answer) * 1e8);
            vm.assertTrue(uint256(answer) * 1e8 - scaled < 10 ** decimals);
        } catch {
            uint256 exact = uint256(answer) * 1e8 / 10 ** decimals;
            vm.assertTrue(exact == 0 || exact > uint256(uint64(type(int64).max)));
        }
    }

    function test_RevertWhen_the_answer_is_zero_negative_or_rounds_to_zero() public {
        refuseAnswer(0);
        refuseAnswer(-1);
        refuseAnswer(type(int256).min);
        _aggregator = new SetAggregator(18);
        _source = new AggregatorSource(_aggregator, MAX_AGE);
        refuseAnswer(1e10 - 1);
    }

    function test_RevertWhen_the_answer_is_beyond_all_prices() public {
        _aggregator.set(1, int256(2 ** 63), START, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.PriceTooLarge.selector, uint256(2 ** 63))
        );
        _source.read();
        _aggregator.set(1, int256(2 ** 63 - 1), START, 1);
        _source.read();
        _aggregator.set(1, type(int256).max, START, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReferenceSource.PriceTooLarge.selector, uint256(type(int256).max)
            )
        );
        _source.read();
    }

    /// @dev Where the product would not fit 256 bits, it is the price that is named, no panic.
    function test_RevertWhen_an_answer_without_decimals_is_beyond_all_numbers() public {
        _aggregator = new SetAggregator(0);
        _source = new AggregatorSource(_aggregator, MAX_AGE);
        int256[2] memory answers = [int256(2 ** 200 + 1), type(int256).max];
        for (uint256 i = 0; i < answers.length; ++i) {
            _aggregator.set(1, answers[i], START, 1);
            vm.expectRevert(
                abi.encodeWithSelector(IReferenceSource.PriceTooLarge.selector, uint256(answers[i]))
            );
            _source.read();
        }
    }

    function test_RevertWhen_the_answer_is_stale_or_of_the_future() public {
        _aggregator.set(1, 1e8, START - MAX_AGE, 1);
        _source.read();
        _aggregator.set(1, 1e8, START - MAX_AGE - 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.SourceStale.selector, MAX_AGE + 1, MAX_AGE)
        );
        _source.read();
        _aggregator.set(1, 1e8, START + 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.SourceAhead.selector, START + 1, START)
        );
        _source.read();
    }

    function test_RevertWhen_the_round_is_not_complete() public {
        _aggregator.set(9, 1e8, START, 8);
        vm.expectRevert(abi.encodeWithSelector(IReferenceSource.RoundIncomplete.selector, 9, 8));
        _source.read();
        _aggregator.set(9, 1e8, 0, 9);
        vm.expectRevert(abi.encodeWithSelector(IReferenceSource.RoundIncomplete.selector, 9, 9));
        _source.read();
    }

    function test_RevertWhen_the_decimals_are_wrong_or_change() public {
        SetAggregator wide = new SetAggregator(37);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.DecimalsOutOfRange.selector, int256(37))
        );
        new AggregatorSource(wide, MAX_AGE);
        _aggregator.set(1, 1e8, START, 1);
        _aggregator.setDecimals(18);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.DecimalsOutOfRange.selector, int256(18))
        );
        _source.read();
        _pyth.set(ID, IPyth.Price(100, 0, 1, START));
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.DecimalsOutOfRange.selector, int256(-1))
        );
        _pythSource.read();
    }

    function test_RevertWhen_a_source_may_be_of_any_age_or_of_none() public {
        vm.expectRevert(abi.encodeWithSelector(IReferenceSource.AgeLimitOutOfRange.selector, 0));
        new AggregatorSource(_aggregator, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.AgeLimitOutOfRange.selector, 7 days + 1)
        );
        new PythSource(_pyth, ID, 7 days + 1, 1);
    }

    function test_a_pyth_price_comes_with_its_age() public {
        _pyth.set(ID, IPyth.Price(11_000_000, 100_000, -2, START - 5));
        (int64 priceE8, uint256 age) = _pythSource.read();
        vm.assertEq(priceE8, 110_000e8);
        vm.assertEq(age, 5);
    }

    function test_RevertWhen_a_pyth_price_is_doubtful() public {
        _pyth.set(ID, IPyth.Price(10_000, 100, -2, START));
        _pythSource.read();
        _pyth.set(ID, IPyth.Price(10_000, 101, -2, START));
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.SourceUncertain.selector, 10_100, 10_000)
        );
        _pythSource.read();
    }

    function test_RevertWhen_a_pyth_price_is_zero_negative_or_stale() public {
        _pyth.set(ID, IPyth.Price(0, 0, -8, START));
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.PriceNotPositive.selector, int256(0))
        );
        _pythSource.read();
        _pyth.set(ID, IPyth.Price(-5, 0, -8, START));
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.PriceNotPositive.selector, int256(-5))
        );
        _pythSource.read();
        _pyth.set(ID, IPyth.Price(5, 0, -8, START - MAX_AGE - 1));
        vm.expectRevert(
            abi.encodeWithSelector(IReferenceSource.SourceStale.selector, MAX_AGE + 1, MAX_AGE)
        );
        _pythSource.read();
    }

    function refuseAnswer(int256 answer) private {
        _aggregator.set(1, answer, START, 1);
        vm.expectRevert(abi.encodeWithSelector(IReferenceSource.PriceNotPositive.selector, answer));
        _source.read();
    }

    function normalised(uint8 decimals, int256 answer) private returns (int64 priceE8) {
        SetAggregator other = new SetAggregator(decimals);
        other.set(1, answer, START, 1);
        (priceE8,) = new AggregatorSource(other, MAX_AGE).read();
    }
}
