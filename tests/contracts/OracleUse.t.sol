// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "../../contracts/interfaces/IGoverned.sol";

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IOracleUse} from "../../contracts/interfaces/IOracleUse.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {
    ANY_DISPERSION_E6,
    ANY_RANGE_E5,
    Action,
    Cause,
    FeedLimit,
    Grace,
    UseRule
} from "../../contracts/types/OracleUse.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev What each action asks of a price: O-1, O-4, O-6.
contract OracleUseTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);

    function setUp() public {
        deployHub(2);
        hub.setGrace(Grace(1, 0));
    }

    function test_before_the_first_report_nothing_is_usable() public {
        checkAll(0, Cause.NO_REPORT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.Unusable.selector, Action.WITHDRAW, 1, Cause.NO_REPORT, 0, 0
            )
        );
        hub.requireUsable(Action.WITHDRAW, 1);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 2, 2));
        hub.assess(Action.WITHDRAW, 2);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 2, 2));
        hub.isFeedFresh(2);
        vm.assertFalse(hub.isFeedFresh(1));
    }

    function test_an_agreed_fresh_report_is_usable_for_everything() public {
        both(1, NOW_NS, 1000);
        checkAll(0, Cause.NONE);
        uint256[] memory feeds = new uint256[](2);
        feeds[0] = 1;
        (int64[] memory values, uint64 observedAt) = hub.valuesFor(Action.LIQUIDATE, feeds);
        vm.assertEq(values[0], 1000);
        vm.assertEq(observedAt, NOW_NS);
        vm.warp(START - 3);
        checkAll(0, Cause.NONE);
    }

    function test_each_action_has_its_own_age() public {
        both(1, NOW_NS, 1000);
        hub.setUseRule(Action.LIQUIDATE, UseRule(10e9, 10_000, true, true, ANY_RANGE_E5));
        vm.warp(START + 10);
        check(Action.LIQUIDATE, 0, Cause.NONE);
        vm.warp(START + 11);
        check(Action.TRADE, 0, Cause.NONE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.Unusable.selector, Action.LIQUIDATE, 0, Cause.TOO_OLD, 11e9, 10e9
            )
        );
        hub.requireUsable(Action.LIQUIDATE, 0);
        vm.warp(START + 60);
        check(Action.WITHDRAW, 0, Cause.NONE);
        vm.warp(START + 61);
        checkAll(0, Cause.TOO_OLD);
    }

    function test_a_feed_may_have_a_shorter_heartbeat() public {
        hub.setFeedLimit(1, FeedLimit(5e9, 0));
        both(1, NOW_NS, 1000);
        vm.warp(START + 5);
        vm.assertEq(hub.price(1), 1000);
        vm.warp(START + 6);
        checkAll(1, Cause.TOO_OLD);
        checkAll(0, Cause.NONE);
        vm.assertTrue(hub.isFresh());
        vm.assertFalse(hub.isFeedFresh(1));
        vm.assertTrue(hub.isFeedFresh(0));
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.StalePrice.selector, NOW_NS, 5e9));
        hub.price(1);
        hub.setFeedLimit(1, FeedLimit(0, 0));
        checkAll(1, Cause.NONE);
        vm.assertEq(hub.feedLimit(1).heartbeatNs, HEARTBEAT_NS);
        vm.assertEq(hub.feedLimit(1).bandE6, BAND_E6);
    }

    function test_a_jump_bars_all_but_withdrawals_until_it_is_confirmed() public {
        both(1, NOW_NS, 1000);
        vm.assertFalse(both(2, NOW_NS + 1, 1100));
        vm.assertEq(hub.pendingRound(), 2);
        checkHeld(0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.Unusable.selector, Action.TRADE, 0, Cause.JUMPED, 2, 1
            )
        );
        hub.requireUsable(Action.TRADE, 0);
        vm.assertTrue(both(3, NOW_NS + 2, 1100));
        vm.assertEq(hub.pendingRound(), 0);
        checkAll(0, Cause.NONE);
    }

    function test_a_step_beyond_the_band_of_a_feed_waits_for_the_next_report() public {
        hub.setFeedLimit(1, FeedLimit(0, 10_000));
        both(1, NOW_NS, 1000);
        checkAll(1, Cause.NONE);
        vm.assertTrue(both(2, NOW_NS + 1, 1011));
        checkHeld(1);
        checkAll(0, Cause.NONE);
        vm.assertTrue(both(3, NOW_NS + 2, 1012));
        checkAll(1, Cause.NONE);
        vm.assertTrue(both(4, NOW_NS + 3, 1002));
        checkAll(1, Cause.NONE);
    }

    function test_a_confirmed_jump_is_confirmed_for_a_feed_only_within_its_band() public {
        hub.setFeedLimit(1, FeedLimit(0, 10_000));
        both(1, NOW_NS, 1000);
        vm.assertFalse(both(2, NOW_NS + 1, 2000));
        vm.assertTrue(both(3, NOW_NS + 2, 2020));
        checkAll(1, Cause.NONE);
        vm.assertFalse(both(4, NOW_NS + 3, 1000));
        vm.assertTrue(both(5, NOW_NS + 4, 1011));
        checkHeld(1);
        checkAll(0, Cause.NONE);
        hub.setFeedLimit(1, FeedLimit(0, 0));
        both(6, NOW_NS + 5, 1050);
        checkAll(1, Cause.NONE);
    }

    function test_observers_who_disagree_bar_the_strict_actions_first() public {
        both(1, NOW_NS, 1000);
        // Distances of the five from 1000: 0, 10, 10, 10, 10.
        spread(2, 10);
        checkAll(0, Cause.NONE);
        spread(3, 11);
        check(Action.LIQUIDATE, 0, Cause.DISPERSED);
        check(Action.TRADE, 0, Cause.NONE);
        spread(4, 21);
        check(Action.TRADE, 0, Cause.DISPERSED);
        check(Action.SETTLE, 0, Cause.DISPERSED);
        check(Action.WITHDRAW, 0, Cause.NONE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.Unusable.selector, Action.SETTLE, 0, Cause.DISPERSED, 21_000, 20_000
            )
        );
        hub.requireUsable(Action.SETTLE, 0);
        spread(5, 500);
        check(Action.WITHDRAW, 0, Cause.NONE);
        (uint64 range, uint16 dispersion) = hub.confidence(0);
        vm.assertEq(dispersion, ANY_DISPERSION_E6);
        vm.assertEq(range, 66);
    }

    /// @dev O-8: the governor may bar liquidations on a price that moved far within its interval.
    function test_each_action_has_its_own_range() public {
        wild(1, 400, 600);
        checkAll(0, Cause.NONE);
        hub.setUseRule(Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, true, true, 1000));
        check(Action.LIQUIDATE, 0, Cause.NONE);
        wild(2, 401, 600);
        check(Action.LIQUIDATE, 0, Cause.MOVED);
        check(Action.TRADE, 0, Cause.NONE);
        (, uint256 actual, uint256 limit) = hub.assess(Action.LIQUIDATE, 1);
        vm.assertEq(actual, 1001);
        vm.assertEq(limit, 1000);
        wild(3, type(uint16).max, 0);
        check(Action.LIQUIDATE, 0, Cause.MOVED);
        check(Action.WITHDRAW, 0, Cause.NONE);
        hub.setUseRule(Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, true, true, 65_534));
        check(Action.LIQUIDATE, 0, Cause.MOVED);
        hub.setUseRule(Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, true, true, ANY_RANGE_E5));
        check(Action.LIQUIDATE, 0, Cause.NONE);
    }

    /// @dev A range bars a use now, as an age does, and no instruction that cites the report: the
    /// engine does not know the rule.
    function test_a_range_does_not_bar_citing_a_report() public {
        hub.setUseRule(Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, true, true, 1));
        wild(1, 400, 600);
        check(Action.LIQUIDATE, 0, Cause.MOVED);
        bytes memory medians = abi.encodePacked(int64(1000), int64(1000));
        bytes32 hash = keccak256(abi.encode(uint64(1), NOW_NS + 1e9, medians));
        vm.assertTrue(hub.isUsableReport(hash, Action.LIQUIDATE));
    }

    function test_withdrawals_may_ask_for_agreement_but_never_wait() public {
        hub.setUseRule(Action.WITHDRAW, UseRule(HEARTBEAT_NS, 30_000, false, false, ANY_RANGE_E5));
        spread(1, 31);
        check(Action.WITHDRAW, 0, Cause.DISPERSED);
        vm.expectRevert(IOracleUse.WithdrawalBarred.selector);
        hub.setUseRule(Action.WITHDRAW, UseRule(HEARTBEAT_NS, 30_000, true, false, ANY_RANGE_E5));
        vm.expectRevert(IOracleUse.WithdrawalBarred.selector);
        hub.setUseRule(Action.WITHDRAW, UseRule(HEARTBEAT_NS, 30_000, false, true, ANY_RANGE_E5));
    }

    function test_RevertWhen_a_withdrawal_would_wait_for_calm() public {
        vm.expectRevert(IOracleUse.WithdrawalBarred.selector);
        hub.setUseRule(Action.WITHDRAW, UseRule(HEARTBEAT_NS, 65_535, false, false, 65_534));
    }

    function test_RevertWhen_another_action_would_be_stricter_than_liquidation() public {
        refuse(
            Action.TRADE, UseRule(HEARTBEAT_NS - 1, 20_000, false, true, ANY_RANGE_E5), Action.TRADE
        );
        refuse(Action.SETTLE, UseRule(HEARTBEAT_NS, 9999, false, true, ANY_RANGE_E5), Action.SETTLE);
        refuse(
            Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, true, false, ANY_RANGE_E5), Action.TRADE
        );
        refuse(
            Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 20_001, true, true, ANY_RANGE_E5), Action.TRADE
        );
        refuse(Action.TRADE, UseRule(HEARTBEAT_NS, 20_000, false, true, 65_534), Action.TRADE);
        hub.setUseRule(Action.TRADE, UseRule(HEARTBEAT_NS, 20_000, true, true, ANY_RANGE_E5));
        refuse(
            Action.LIQUIDATE, UseRule(HEARTBEAT_NS, 10_000, false, true, ANY_RANGE_E5), Action.TRADE
        );
    }

    function test_RevertWhen_an_age_is_zero_or_beyond_the_heartbeat() public {
        vm.expectRevert(
            abi.encodeWithSelector(IOracleUse.AgeOutOfRange.selector, Action.TRADE, 0, HEARTBEAT_NS)
        );
        hub.setUseRule(Action.TRADE, UseRule(0, 1, false, false, ANY_RANGE_E5));
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.AgeOutOfRange.selector, Action.TRADE, HEARTBEAT_NS + 1, HEARTBEAT_NS
            )
        );
        hub.setUseRule(Action.TRADE, UseRule(HEARTBEAT_NS + 1, 20_000, false, true, ANY_RANGE_E5));
    }

    function test_RevertWhen_a_feed_would_be_looser_than_the_hub() public {
        vm.expectRevert(
            abi.encodeWithSelector(IOracleUse.FeedLimitOutOfRange.selector, 0, HEARTBEAT_NS + 1, 0)
        );
        hub.setFeedLimit(0, FeedLimit(HEARTBEAT_NS + 1, 0));
        vm.expectRevert(
            abi.encodeWithSelector(IOracleUse.FeedLimitOutOfRange.selector, 0, 0, BAND_E6 + 1)
        );
        hub.setFeedLimit(0, FeedLimit(0, BAND_E6 + 1));
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 2, 2));
        hub.setFeedLimit(2, FeedLimit(0, 0));
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 2, 2));
        hub.feedLimit(2);
    }

    function test_only_the_governor_sets_rules() public {
        refuseStranger(
            abi.encodeCall(
                hub.setUseRule, (Action.TRADE, UseRule(1, 1, false, false, ANY_RANGE_E5))
            )
        );
        refuseStranger(abi.encodeCall(hub.setFeedLimit, (0, FeedLimit(1, 1))));
        refuseStranger(abi.encodeCall(hub.setGrace, (Grace(1, 1))));
    }

    function test_rules_and_settings_are_told_and_readable() public {
        UseRule memory rule = UseRule(30e9, 5000, true, true, ANY_RANGE_E5);
        vm.expectEmit(address(hub));
        emit IOracleUse.UseRuleSet(Action.LIQUIDATE, rule);
        hub.setUseRule(Action.LIQUIDATE, rule);
        vm.assertEq(
            keccak256(abi.encode(hub.useRule(Action.LIQUIDATE))), keccak256(abi.encode(rule))
        );
        vm.expectEmit(address(hub));
        emit IOracleUse.FeedLimitSet(1, FeedLimit(7, 8));
        hub.setFeedLimit(1, FeedLimit(7, 8));
        vm.assertEq(hub.feedLimit(1).heartbeatNs, 7);
        vm.assertEq(hub.feedLimit(1).bandE6, 8);
        vm.expectEmit(address(hub));
        emit IOracleUse.GraceSet(Grace(9, 10));
        hub.setGrace(Grace(9, 10));
        vm.assertEq(hub.grace().reports, 9);
    }

    function test_the_newest_report_can_be_read_whole() public {
        vm.expectRevert(IOracleHub.NoReport.selector);
        hub.latestReport();
        both(5, NOW_NS, 1000);
        bytes memory medians = abi.encodePacked(int64(1000), int64(1000));
        vm.assertEq(hub.latestReport().round, 5);
        vm.assertEq(hub.latestReport().observedAt, NOW_NS);
        vm.assertEq(keccak256(hub.latestReport().medians), keccak256(medians));
    }

    function refuse(Action action, UseRule memory rule, Action other) private {
        vm.expectRevert(abi.encodeWithSelector(IOracleUse.NotStrictest.selector, other));
        hub.setUseRule(action, rule);
    }

    function refuseStranger(bytes memory input) private {
        vm.prank(oracleAt(0));
        (bool done, bytes memory reason) = address(hub).call(input);
        vm.assertFalse(done);
        vm.assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(IGoverned.NotGovernor.selector, oracleAt(0)))
        );
    }

    function checkHeld(uint256 feed) private view {
        check(Action.WITHDRAW, feed, Cause.NONE);
        check(Action.TRADE, feed, Cause.JUMPED);
        check(Action.SETTLE, feed, Cause.JUMPED);
        check(Action.LIQUIDATE, feed, Cause.JUMPED);
    }

    function checkAll(uint256 feed, Cause expected) private view {
        for (uint256 i = 0; i < 4; ++i) {
            check(Action(i), feed, expected);
        }
    }

    function check(Action action, uint256 feed, Cause expected) private view {
        (Cause cause,,) = hub.assess(action, feed);
        vm.assertEq(uint256(cause), uint256(expected));
        vm.assertTrue(hub.isUsable(action, feed) == (expected == Cause.NONE));
    }

    function both(uint64 round, uint64 time, int64 value) private returns (bool) {
        int64[] memory medians = new int64[](2);
        (medians[0], medians[1]) = (value, value);
        return report(round, time, medians);
    }

    /// @dev A report of 1000 in which four of five stray by so much, two to each side.
    function spread(uint64 round, int64 stray) private {
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            int64 value = i < 2 ? 1000 - stray : i == 2 ? int64(1000) : 1000 + stray;
            values[i] = still(abi.encodePacked(value, int64(1000)));
        }
        uint64 time = NOW_NS + round * 1e9;
        vm.warp(START + round);
        vm.assertTrue(hub.submit(round, time, values, signAll(round, time, values)));
    }

    /// @dev An agreed report of 1000 in which both prices went so far. [1e-5]
    function wild(uint64 round, uint16 downE5, uint16 upE5) private {
        bytes[] memory vectors = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            vectors[i] = moved(abi.encodePacked(int64(1000), int64(1000)), downE5, upE5);
        }
        uint64 time = NOW_NS + round * 1e9;
        vm.warp(START + round);
        vm.assertTrue(hub.submit(round, time, vectors, signAll(round, time, vectors)));
    }
}
