// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Black76} from "../../../contracts/libraries/Black76.sol";
import {FixedPoint} from "../../../contracts/libraries/FixedPoint.sol";
import {Normal} from "../../../contracts/libraries/Normal.sol";
import {Json} from "../support/Json.sol";
import {PricingRig} from "../support/PricingRig.sol";
import {vm} from "../support/Vm.sol";

/// @dev A price is compared with its bounds exactly, and with its neighbours within its error:
/// 1e-8 USD, and 2e-14 of forward and strike.
contract Black76Test is PricingRig {
    using Json for Json.Case;

    int256 private constant ONE = 1 << 62;
    uint256 private constant PRICES = 1 << 46;
    uint256 private constant YEAR = 365 days * 1e9;

    /// @notice A market out of which one option is priced.
    struct Market {
        uint64 forward;
        uint64 strike;
        uint32 volatility;
        uint64 remaining;
    }

    function setUp() public {
        deployPricing();
    }

    function test_prices_and_deltas_are_those_of_python() public view {
        Json.File memory file =
            Json.open("tests/vectors/risk_cell_steps.json", "plimsoll.risk_cell_steps.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory here = Json.caseAt(file, i);
            (int256 f, int256 k) = (here.signed("forward"), here.signed("strike"));
            int256 log = here.signed("logForward") - here.signed("logStrike");
            uint256 total = here.number("total");
            vm.assertEq(Black76.price(f, k, log, total, true, table), here.signed("call"));
            vm.assertEq(Black76.price(f, k, log, total, false, table), here.signed("put"));
            int256 delta = here.signed("callDelta");
            vm.assertEq(Black76.delta(f, k, log, total, true, table), delta);
            vm.assertEq(Black76.delta(f, k, log, total, false, table), delta - ONE);
            int256 argument = here.signed("argument");
            vm.assertEq(Normal.probability(argument, table), here.signed("probability"));
        }
    }

    function test_the_probability_is_that_of_python_all_over_the_table() public view {
        Json.File memory file =
            Json.open("tests/vectors/risk_cell_table.json", "plimsoll.risk_cell_table.v1");
        Json.Case memory here = Json.caseAt(file, 0);
        int256[] memory arguments = here.integers("arguments");
        int256[] memory probabilities = here.integers("probabilities");
        for (uint256 i = 0; i < arguments.length; ++i) {
            vm.assertEq(Normal.probability(arguments[i], table), probabilities[i]);
        }
    }

    function test_the_table_holds_only_numbers_and_a_call_does_nothing() public {
        vm.assertEq(table.code.length, 20_481);
        (bool done, bytes memory answer) = table.call(hex"12345678");
        vm.assertTrue(done);
        vm.assertEq(answer.length, 0);
    }

    function test_beyond_eight_the_probability_stays() public view {
        int256 last = Normal.probability((8 << 58) - 1, table);
        vm.assertEq(Normal.probability(8 << 58, table), last);
        vm.assertEq(Normal.probability(16 << 58, table), last);
        vm.assertEq(Normal.probability(-16 << 58, table), ONE - last);
    }

    function testFuzz_the_probability_rises_and_is_symmetric(int64 x, uint64 step) public view {
        int256 low = Normal.probability(x, table);
        vm.assertTrue(low >= 0 && low <= ONE);
        if (x != 0) vm.assertEq(Normal.probability(-int256(x), table), ONE - low);
        int256 high = Normal.probability(int256(x) + int256(uint256(step)), table);
        // 3e-14, the error of the table, twice.
        vm.assertTrue(high >= low - ONE / 1.6e13);
    }

    function testFuzz_call_less_put_is_forward_less_strike_exactly(Market memory m) public view {
        m = within(m);
        (int256 f, int256 k) = (int256(uint256(m.forward)), int256(uint256(m.strike)));
        vm.assertEq(priceOf(m, m.strike, true) - priceOf(m, m.strike, false), f - k);
    }

    function testFuzz_a_call_lies_between_intrinsic_value_and_the_forward(Market memory m)
        public
        view
    {
        m = within(m);
        (int256 f, int256 k) = (int256(uint256(m.forward)), int256(uint256(m.strike)));
        int256 call = priceOf(m, m.strike, true);
        vm.assertTrue(call >= f - k && call >= 0 && call <= f);
        int256 put = priceOf(m, m.strike, false);
        vm.assertTrue(put >= k - f && put >= 0 && put <= k);
    }

    function testFuzz_a_call_never_gains_from_a_higher_strike(Market memory m, uint40 step)
        public
        view
    {
        m = within(m);
        uint64 higher = m.strike + step;
        int256 slack = errorOf(m.forward, m.strike) + errorOf(m.forward, higher);
        int256 fall = priceOf(m, m.strike, true) - priceOf(m, higher, true);
        vm.assertTrue(fall >= -slack && fall <= int256(uint256(step)) + slack);
    }

    function testFuzz_an_option_never_loses_from_more_volatility(Market memory m, uint32 more)
        public
        view
    {
        m = within(m);
        int256 before = priceOf(m, m.strike, false);
        m.volatility += more % uint32(10e8);
        int256 rise = priceOf(m, m.strike, false) - before;
        vm.assertTrue(rise >= -2 * errorOf(m.forward, m.strike));
    }

    function testFuzz_a_delta_lies_between_nothing_and_the_whole(Market memory m) public view {
        m = within(m);
        (int256 f, int256 k) = (int256(uint256(m.forward)), int256(uint256(m.strike)));
        int256 log = FixedPoint.ln(m.forward) - FixedPoint.ln(m.strike);
        uint256 total = Black76.totalVolatilityFrom(m.volatility, Black76.rootOfTime(m.remaining));
        int256 delta = Black76.delta(f, k, log, total, true, table);
        vm.assertTrue(delta >= 0 && delta <= ONE);
        vm.assertEq(Black76.delta(f, k, log, total, false, table), delta - ONE);
    }

    function within(Market memory m) private pure returns (Market memory) {
        m.forward = uint64(1 + m.forward % (PRICES - 1));
        // Mostly near the forward, where the price is made of something.
        uint256 ratioE6 = 500_000 + m.strike % 1_500_001;
        uint256 near = uint256(m.forward) * ratioE6 / 1e6;
        uint256 anywhere = m.strike % (PRICES - 1);
        uint256 strike = m.strike % 8 == 0 || near >= PRICES ? anywhere : near;
        m.strike = strike == 0 ? 1 : uint64(strike);
        m.volatility %= uint32(20e8);
        m.remaining %= uint64(3 * YEAR);
        return m;
    }

    function priceOf(Market memory m, uint64 strike, bool isCall) private view returns (int256) {
        return Black76.price(
            int256(uint256(m.forward)),
            int256(uint256(strike)),
            FixedPoint.ln(m.forward) - FixedPoint.ln(strike),
            Black76.totalVolatilityFrom(m.volatility, Black76.rootOfTime(m.remaining)),
            isCall,
            table
        );
    }

    function errorOf(uint256 forward, uint256 strike) private pure returns (int256) {
        return int256(2 + 2 * (forward + strike) / 1e14);
    }
}
