// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev How far the observers agree, and between what: O-4.
contract OracleSpreadTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);
    uint256 private constant FEEDS = 3;

    function setUp() public {
        deployHub(uint16(FEEDS));
    }

    function testFuzz_the_dispersion_is_the_median_distance_from_the_median(
        uint256 seed,
        uint8 extra,
        uint8 shift
    ) public {
        uint256 count = QUORUM + extra % 3;
        int64[][] memory seen = observe(seed, count, 194 + shift % 40);
        submit(seen, count);
        uint256 worst = 0;
        for (uint256 f = 0; f < FEEDS; ++f) {
            uint256 expected = slowDispersion(seen[f]);
            (uint64 spread, uint16 dispersion) = hub.confidence(f);
            vm.assertEq(dispersion, expected);
            uint256 price = uint64(hub.price(f));
            vm.assertEq(spread, (price * dispersion + 1e6 - 1) / 1e6);
            if (expected > worst) worst = expected;
        }
        vm.assertEq(hub.recordOf(reportHash()).worstE6, worst);
    }

    function testFuzz_the_bracket_is_the_lowest_and_the_highest_and_nothing_else(
        uint256 seed,
        uint256 place,
        uint8 bit
    ) public {
        int64[][] memory seen = observe(seed, QUORUM, 194);
        submit(seen, QUORUM);
        bytes memory lows;
        bytes memory highs;
        for (uint256 f = 0; f < FEEDS; ++f) {
            slowSort(seen[f]);
            lows = abi.encodePacked(lows, seen[f][0]);
            highs = abi.encodePacked(highs, seen[f][QUORUM - 1]);
        }
        vm.assertTrue(hub.isBracket(reportHash(), lows, highs));
        vm.assertFalse(hub.isBracket(keccak256("another report"), lows, highs));
        vm.assertFalse(hub.isBracket(reportHash(), abi.encodePacked(lows, highs), ""));
        bytes memory changed = place % 2 == 0 ? lows : highs;
        place = place / 2 % changed.length;
        changed[place] ^= bytes1(uint8(1) << (bit % 8));
        vm.assertFalse(hub.isBracket(reportHash(), lows, highs));
    }

    function test_a_report_that_was_never_accepted_has_no_bracket() public view {
        vm.assertFalse(hub.isBracket(bytes32(0), "", ""));
        vm.assertEq(hub.recordOf(bytes32(0)).recordedAt, 0);
    }

    function testFuzz_two_liars_among_five_do_not_set_the_dispersion(uint64 low, uint64 high)
        public
    {
        int64[][] memory seen = new int64[][](FEEDS);
        for (uint256 f = 0; f < FEEDS; ++f) {
            seen[f] = new int64[](QUORUM);
            for (uint256 i = 0; i < 3; ++i) {
                seen[f][i] = int64(uint64(1_000_000 + i));
            }
            (seen[f][3], seen[f][4]) = (int64(low >> 1 | 1), int64(high >> 1 | 1));
        }
        submit(seen, QUORUM);
        (, uint16 dispersion) = hub.confidence(0);
        vm.assertLe(dispersion, 2);
    }

    function observe(uint256 seed, uint256 count, uint256 shift)
        private
        pure
        returns (int64[][] memory seen)
    {
        seen = new int64[][](FEEDS);
        for (uint256 f = 0; f < FEEDS; ++f) {
            seen[f] = new int64[](count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 stray = uint256(keccak256(abi.encode(seed, i, f))) >> shift;
                seen[f][i] = int64(uint64(1e9 + stray));
            }
        }
    }

    function submit(int64[][] memory seen, uint256 count) private {
        bytes[] memory values = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 f = 0; f < FEEDS; ++f) {
                values[i] = abi.encodePacked(values[i], seen[f][i]);
            }
        }
        hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values));
    }

    function reportHash() private view returns (bytes32) {
        bytes memory medians = hub.latestReport().medians;
        return keccak256(abi.encode(uint64(1), NOW_NS, medians));
    }

    function slowDispersion(int64[] memory values) private pure returns (uint256) {
        int64[] memory list = new int64[](values.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = values[i];
        }
        slowSort(list);
        uint256 middle = (list.length - 1) / 2;
        int64 median = list[middle];
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = list[i] < median ? median - list[i] : list[i] - median;
        }
        slowSort(list);
        uint256 exact = uint256(uint64(list[middle])) * 1e6;
        uint256 divisor = uint64(median);
        uint256 rounded = exact % divisor == 0 ? exact / divisor : exact / divisor + 1;
        return rounded > 65_535 ? 65_535 : rounded;
    }

    function slowSort(int64[] memory list) private pure {
        for (uint256 i = 0; i < list.length; ++i) {
            for (uint256 j = i + 1; j < list.length; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }
}
