// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {Oracles} from "./support/Oracles.sol";
import {Vm, vm} from "./support/Vm.sol";

/// @dev How far the observers agree, and between what the price went: O-4, O-8.
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

    /// @dev Against the rule written out slowly: medians of the spans, around the median.
    function testFuzz_the_bracket_is_the_median_and_the_median_spans_and_nothing_else(
        uint256 seed,
        uint8 extra,
        uint8 shift,
        uint256 place
    ) public {
        uint256 count = QUORUM + extra % 3;
        int64[][] memory seen = observe(seed, count, 194 + shift % 40);
        int64[][] memory spans = observeSpans(seed, count);
        submitMoved(seen, spans, count);
        (bytes memory lows, bytes memory highs) = slowBracket(seen, spans, (count - 1) / 2);
        vm.assertTrue(hub.isBracket(reportHash(), lows, highs));
        vm.assertFalse(hub.isBracket(keccak256("another report"), lows, highs));
        vm.assertFalse(hub.isBracket(reportHash(), abi.encodePacked(lows, highs), ""));
        bytes memory changed = place % 2 == 0 ? lows : highs;
        place = place / 2 % changed.length;
        changed[place] ^= 0x10;
        vm.assertFalse(hub.isBracket(reportHash(), lows, highs));
    }

    function testFuzz_the_ranges_are_the_sums_of_the_median_spans(uint256 seed, uint8 extra)
        public
    {
        uint256 count = QUORUM + extra % 3;
        int64[][] memory spans = observeSpans(seed, count);
        submitMoved(observe(seed, count, 200), spans, count);
        for (uint256 f = 0; f < FEEDS; ++f) {
            slowSort(spans[2 * f]);
            slowSort(spans[2 * f + 1]);
            int64 sum = spans[2 * f][(count - 1) / 2] + spans[2 * f + 1][(count - 1) / 2];
            vm.assertEq(hub.rangeE5(f), uint64(sum < 65_535 ? sum : int64(65_535)));
        }
    }

    /// @dev Two of five say anything: each end lies between what two honest signers admit.
    function testFuzz_a_minority_neither_widens_nor_narrows_a_bracket(
        uint16[3] memory honest,
        uint16[2] memory lies
    ) public {
        bytes[] memory vectors = new bytes[](QUORUM);
        (uint16 least, uint16 most) = (type(uint16).max, 0);
        bytes memory values = abi.encodePacked(int64(1e10), int64(1e10), int64(1e10));
        for (uint256 i = 0; i < QUORUM; ++i) {
            uint16 span = i < 3 ? honest[i] : lies[i - 3];
            vectors[i] = moved(values, span, span);
            if (i < 3 && span < least) least = span;
            if (i < 3 && span > most) most = span;
        }
        vm.recordLogs();
        hub.submit(1, NOW_NS, vectors, signAll(1, NOW_NS, vectors));
        (int64 low, int64 high) = recorded();
        vm.assertTrue(high <= highOf(most) && high >= highOf(least));
        vm.assertTrue(low >= lowOf(most) && low <= lowOf(least));
    }

    function test_a_consumer_asks_whether_a_price_lies_within_the_bracket() public {
        bytes[] memory vectors = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            bytes memory values = abi.encodePacked(int64(1e8), int64(99), int64(7));
            vectors[i] = abi.encodePacked(values, uint16(2000), uint16(500));
            vectors[i] = abi.encodePacked(vectors[i], uint16(1), uint16(1));
            vectors[i] = abi.encodePacked(vectors[i], uint16(65_535), uint16(65_535));
        }
        bytes memory lows = abi.encodePacked(int64(98e6), int64(98), int64(0));
        bytes memory highs = abi.encodePacked(int64(1005e5), int64(100), type(int64).max);
        bytes memory medians = abi.encodePacked(int64(1e8), int64(99), int64(7));
        bytes32 hash = keccak256(abi.encode(uint64(1), NOW_NS, medians));
        vm.expectEmit(address(hub));
        emit IOracleHub.BracketRecorded(hash, lows, highs);
        hub.submit(1, NOW_NS, vectors, signAll(1, NOW_NS, vectors));
        vm.assertTrue(hub.isBracket(hash, lows, highs));
        vm.assertTrue(hub.isWithinBracket(hash, lows, highs, 0, 98e6));
        vm.assertTrue(hub.isWithinBracket(hash, lows, highs, 0, 1005e5));
        vm.assertFalse(hub.isWithinBracket(hash, lows, highs, 0, 98e6 - 1));
        vm.assertFalse(hub.isWithinBracket(hash, lows, highs, 0, 1005e5 + 1));
        vm.assertTrue(hub.isWithinBracket(hash, lows, highs, 1, 98));
        vm.assertFalse(hub.isWithinBracket(hash, lows, highs, 1, 101));
        vm.assertTrue(hub.isWithinBracket(hash, lows, highs, 2, 1));
        vm.assertTrue(hub.isWithinBracket(hash, lows, highs, 2, type(int64).max));
        vm.assertFalse(hub.isWithinBracket(hash, lows, highs, 2, 0));
        vm.assertEq(hub.rangeE5(0), 2500);
        vm.assertEq(hub.rangeE5(2), 65_535);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 3, 3));
        hub.isWithinBracket(hash, lows, highs, 3, 1);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.OtherBracket.selector, hash));
        hub.isWithinBracket(hash, highs, lows, 0, 1e8);
    }

    function test_ranges_are_of_known_feeds_once_there_is_a_report() public {
        vm.expectRevert(IOracleHub.NoReport.selector);
        hub.rangeE5(0);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 3, 3));
        hub.rangeE5(3);
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
            values[i] = still(values[i]);
        }
        hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values));
    }

    /// @dev Downs and ups of each feed in turn, often at the ends of their type.
    function observeSpans(uint256 seed, uint256 count)
        private
        pure
        returns (int64[][] memory spans)
    {
        spans = new int64[][](2 * FEEDS);
        for (uint256 s = 0; s < spans.length; ++s) {
            spans[s] = new int64[](count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 any = uint256(keccak256(abi.encode("span", seed, i, s)));
                uint256 one = any % 7 == 0 ? 65_535 : any % 7 == 1 ? 0 : any >> 240;
                spans[s][i] = int64(uint64(one));
            }
        }
    }

    function submitMoved(int64[][] memory seen, int64[][] memory spans, uint256 count) private {
        bytes[] memory vectors = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 f = 0; f < FEEDS; ++f) {
                vectors[i] = abi.encodePacked(vectors[i], seen[f][i]);
            }
            for (uint256 s = 0; s < spans.length; ++s) {
                vectors[i] = abi.encodePacked(vectors[i], uint16(uint64(spans[s][i])));
            }
        }
        hub.submit(1, NOW_NS, vectors, signAll(1, NOW_NS, vectors));
    }

    function slowBracket(int64[][] memory seen, int64[][] memory spans, uint256 middle)
        private
        pure
        returns (bytes memory lows, bytes memory highs)
    {
        for (uint256 f = 0; f < FEEDS; ++f) {
            slowSort(seen[f]);
            slowSort(spans[2 * f]);
            slowSort(spans[2 * f + 1]);
            int256 median = seen[f][middle];
            (int256 down, int256 up) = (spans[2 * f][middle], spans[2 * f + 1][middle]);
            int256 low = down == 65_535 ? int256(0) : median * (100_000 - down) / 100_000;
            int256 product = median * (100_000 + up);
            int256 high = product / 100_000 + (product % 100_000 == 0 ? int256(0) : int256(1));
            if (up == 65_535 || high > type(int64).max) high = type(int64).max;
            require(low <= median && median <= high, "the median lies outside");
            lows = abi.encodePacked(lows, int64(low));
            highs = abi.encodePacked(highs, int64(high));
        }
    }

    function lowOf(uint16 downE5) private pure returns (int64) {
        return downE5 == 65_535 ? int64(0) : 1e10 - 1e5 * int64(uint64(downE5));
    }

    function highOf(uint16 upE5) private pure returns (int64) {
        return upE5 == 65_535 ? type(int64).max : 1e10 + 1e5 * int64(uint64(upE5));
    }

    /// @dev Both ends of feed 0 in the only bracket that was told of.
    function recorded() private returns (int64 low, int64 high) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IOracleHub.BracketRecorded.selector) continue;
            (bytes memory lows, bytes memory highs) = abi.decode(logs[i].data, (bytes, bytes));
            low = int64(uint64(bytes8(lows)));
            high = int64(uint64(bytes8(highs)));
        }
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
