// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {Medians} from "../../contracts/libraries/Medians.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a report does to prices: O-1, O-2, O-3, O-5, O-6, O-7.
contract OracleHubTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);

    function setUp() public {
        deployHub(1);
    }

    function testFuzz_each_median_is_the_lower_middle(int64[7] memory seen, uint8 extra) public {
        uint256 count = QUORUM + extra % 3;
        int64[] memory sorted = new int64[](count);
        bytes[] memory values = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            seen[i] = seen[i] >= 0 ? seen[i] / 2 + 1 : -(seen[i] / 2) + 1;
            values[i] = still(abi.encodePacked(seen[i]));
            sorted[i] = seen[i];
        }
        slowSort(sorted);
        vm.assertTrue(hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values)));
        (int64 value,,) = hub.latest(0);
        vm.assertEq(value, sorted[(count - 1) / 2]);
    }

    function testFuzz_each_feed_has_its_own_median(uint256 seed) public {
        deployFeeds(3);
        bytes[] memory values = new bytes[](QUORUM);
        int64[][3] memory seen = [new int64[](QUORUM), new int64[](QUORUM), new int64[](QUORUM)];
        for (uint256 i = 0; i < QUORUM; ++i) {
            for (uint256 f = 0; f < 3; ++f) {
                seen[f][i] = int64(uint64(uint256(keccak256(abi.encode(seed, i, f))) >> 194)) + 1;
                values[i] = abi.encodePacked(values[i], seen[f][i]);
            }
            values[i] = still(values[i]);
        }
        hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values));
        for (uint256 f = 0; f < 3; ++f) {
            slowSort(seen[f]);
            vm.assertEq(hub.price(f), seen[f][(QUORUM - 1) / 2]);
        }
    }

    function testFuzz_one_liar_stays_between_the_honest(uint32[4] memory seen, uint64 any) public {
        int64 lie = int64(any >> 1 | 1);
        bytes[] memory values = new bytes[](QUORUM);
        int64[] memory honest = new int64[](QUORUM - 1);
        for (uint256 i = 0; i < honest.length; ++i) {
            honest[i] = int64(uint64(seen[i])) + 1;
            values[i] = still(abi.encodePacked(honest[i]));
        }
        values[QUORUM - 1] = still(abi.encodePacked(lie));
        hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values));
        slowSort(honest);
        int64 median = hub.price(0);
        vm.assertTrue(honest[1] <= median && median <= honest[2]);
    }

    function test_feeds_keep_their_places_across_words() public {
        deployFeeds(9);
        int64[] memory medians = new int64[](9);
        for (uint256 f = 0; f < 9; ++f) {
            medians[f] = int64(uint64(1000 + f));
        }
        vm.assertTrue(report(1, NOW_NS, medians));
        for (uint256 f = 0; f < 9; ++f) {
            vm.assertEq(hub.price(f), medians[f]);
        }
        bytes32 reportHash = keccak256(abi.encode(uint64(1), NOW_NS, pack(medians)));
        vm.assertEq(hub.acceptedAt(reportHash), START);
    }

    function test_a_report_is_remembered_by_its_hash_and_no_other() public {
        report(7, NOW_NS, single(100));
        (int64 value, uint64 observedAt, uint64 round) = hub.latest(0);
        vm.assertEq(value, 100);
        vm.assertEq(observedAt, NOW_NS);
        vm.assertEq(round, 7);
        vm.assertEq(hub.acceptedAt(reportHashOf(7, NOW_NS, 100)), START);
        vm.assertEq(hub.acceptedAt(reportHashOf(7, NOW_NS, 101)), 0);
    }

    function test_a_step_of_exactly_the_band_is_accepted() public {
        report(1, NOW_NS, single(1000));
        vm.assertTrue(report(2, NOW_NS + 1, single(1050)));
        vm.assertTrue(report(3, NOW_NS + 2, single(998))); // 52 of 1050: 4.95 %
        vm.assertEq(hub.price(0), 998);
    }

    function test_a_jump_waits_for_its_confirmation() public {
        report(1, NOW_NS, single(1000));
        vm.assertFalse(report(2, NOW_NS + 1, single(1051)));
        vm.assertEq(hub.price(0), 1000);
        vm.assertEq(hub.acceptedAt(reportHashOf(2, NOW_NS + 1, 1051)), 0);
        vm.assertTrue(report(3, NOW_NS + 2, single(1060)));
        vm.assertEq(hub.price(0), 1060);
        // The confirmation cleared it: the next jump waits again, even back to the pending value.
        vm.assertFalse(report(4, NOW_NS + 3, single(1300)));
    }

    function test_a_return_to_the_last_value_clears_the_pending_report() public {
        report(1, NOW_NS, single(1000));
        vm.assertFalse(report(2, NOW_NS + 1, single(2000)));
        vm.assertTrue(report(3, NOW_NS + 2, single(1001)));
        vm.assertFalse(report(4, NOW_NS + 3, single(2000)));
        vm.assertEq(hub.price(0), 1001);
    }

    function test_a_second_jump_elsewhere_replaces_the_pending_report() public {
        report(1, NOW_NS, single(1000));
        vm.assertFalse(report(2, NOW_NS + 1, single(2000)));
        vm.assertFalse(report(3, NOW_NS + 2, single(3000)));
        vm.assertFalse(report(4, NOW_NS + 3, single(2000)));
        vm.assertTrue(report(5, NOW_NS + 4, single(2001)));
    }

    function test_one_feed_that_jumps_holds_back_the_whole_report() public {
        deployFeeds(2);
        int64[] memory medians = new int64[](2);
        (medians[0], medians[1]) = (1000, 1000);
        report(1, NOW_NS, medians);
        (medians[0], medians[1]) = (1001, 1051);
        vm.assertFalse(report(2, NOW_NS + 1, medians));
        vm.assertEq(hub.price(0), 1000);
    }

    function test_a_pending_report_cannot_confirm_itself() public {
        report(1, NOW_NS, single(1000));
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, NOW_NS + 1, 2000);
        hub.submit(2, NOW_NS + 1, values, signatures);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.RoundNotNew.selector, 2, 2));
        hub.submit(2, NOW_NS + 1, values, signatures);
    }

    function test_rounds_and_times_only_advance() public {
        report(5, NOW_NS, single(1000));
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(5, NOW_NS + 1, 1000);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.RoundNotNew.selector, 5, 5));
        hub.submit(5, NOW_NS + 1, values, signatures);
        (values, signatures) = quorumOf(6, NOW_NS, 1000);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.ObservationNotNew.selector, NOW_NS, NOW_NS)
        );
        hub.submit(6, NOW_NS, values, signatures);
        (values, signatures) = quorumOf(0, NOW_NS + 1, 1000);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.RoundNotNew.selector, 0, 5));
        hub.submit(0, NOW_NS + 1, values, signatures);
    }

    function test_an_observation_may_be_ahead_by_the_skew_and_no_more() public {
        vm.assertTrue(report(1, NOW_NS + MAX_SKEW_NS, single(1)));
        uint64 late = NOW_NS + MAX_SKEW_NS + 1;
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, late, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.ObservedInFuture.selector, late, NOW_NS + MAX_SKEW_NS)
        );
        hub.submit(2, late, values, signatures);
    }

    function test_an_observation_may_be_as_old_as_the_heartbeat_and_no_older() public {
        uint64 old = NOW_NS - HEARTBEAT_NS - 1;
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, old, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.ObservedTooLongAgo.selector, old, HEARTBEAT_NS)
        );
        hub.submit(1, old, values, signatures);
        vm.assertTrue(report(1, NOW_NS - HEARTBEAT_NS, single(1)));
    }

    function test_stale_prices_are_unusable() public {
        report(1, NOW_NS, single(1000));
        vm.warp(START + HEARTBEAT_NS / 1e9);
        vm.assertTrue(hub.isFresh());
        vm.assertEq(hub.price(0), 1000);
        vm.warp(START + HEARTBEAT_NS / 1e9 + 1);
        vm.assertFalse(hub.isFresh());
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.StalePrice.selector, NOW_NS, HEARTBEAT_NS)
        );
        hub.price(0);
        (int64 value,,) = hub.latest(0);
        vm.assertEq(value, 1000);
    }

    function test_before_the_first_report_there_is_no_price() public {
        vm.assertFalse(hub.isFresh());
        vm.expectRevert(IOracleHub.NoReport.selector);
        hub.price(0);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 1, 1));
        hub.latest(1);
    }

    function test_a_median_of_zero_or_less_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(1, NOW_NS, 0);
        vm.expectRevert(abi.encodeWithSelector(Medians.ValueNotPositive.selector, 0, 0));
        hub.submit(1, NOW_NS, values, signatures);
        (values, signatures) = quorumOf(1, NOW_NS, -1);
        vm.expectRevert(abi.encodeWithSelector(Medians.ValueNotPositive.selector, 0, -1));
        hub.submit(1, NOW_NS, values, signatures);
    }

    function test_a_vector_of_the_wrong_length_is_refused() public {
        (bytes[] memory values,) = quorumOf(1, NOW_NS, 5);
        // No spans, a span too many, a byte less and more, and nothing.
        uint256[5] memory wrong = [uint256(8), 16, 11, 13, 0];
        for (uint256 i = 0; i < wrong.length; ++i) {
            values[3] = new bytes(wrong[i]);
            bytes[] memory signatures = signAll(1, NOW_NS, values);
            vm.expectRevert(abi.encodeWithSelector(Medians.VectorLength.selector, 3, wrong[i], 12));
            hub.submit(1, NOW_NS, values, signatures);
        }
    }

    function test_limits_must_make_sense() public {
        refuseLimits(IOracleHub.Limits(0, 1, 1, 1));
        refuseLimits(IOracleHub.Limits(257, 1, 1, 1));
        refuseLimits(IOracleHub.Limits(1, 0, 1, 1));
        refuseLimits(IOracleHub.Limits(1, 500_001, 1, 1));
        refuseLimits(IOracleHub.Limits(1, 1, 0, 1));
    }

    function refuseLimits(IOracleHub.Limits memory limits) private {
        address[] memory list = addresses(ORACLES);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleHub.LimitsOutOfRange.selector,
                limits.feeds,
                limits.bandE6,
                limits.heartbeatNs
            )
        );
        new OracleHub(address(this), limits, startingGrace(), list, QUORUM);
    }

    function reportHashOf(uint64 round, uint64 observedAt, int64 value)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(round, observedAt, abi.encodePacked(value)));
    }

    function deployFeeds(uint16 feeds) private {
        hub = new OracleHub(
            address(this),
            IOracleHub.Limits(feeds, BAND_E6, HEARTBEAT_NS, MAX_SKEW_NS),
            startingGrace(),
            addresses(ORACLES),
            QUORUM
        );
    }

    function slowSort(int64[] memory list) private pure {
        for (uint256 i = 0; i < list.length; ++i) {
            for (uint256 j = i + 1; j < list.length; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }
}
