// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IOracleUse} from "../../contracts/interfaces/IOracleUse.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Report} from "../../contracts/types/Epoch.sol";
import {Action, Cause, Grace, ReportRecord} from "../../contracts/types/OracleUse.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev After an outage nobody is liquidated before the oracle has been back for a while: L-5.
contract OracleGraceTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);
    uint64 private constant SECOND = 1e9;

    function setUp() public {
        deployHub(1);
        hub.setGrace(Grace(3, 20));
    }

    function test_the_first_reports_of_all_are_in_grace() public {
        observe(1, 0);
        checkGrace(Cause.AFTER_OUTAGE);
        observe(2, 1);
        checkGrace(Cause.AFTER_OUTAGE);
        // Three reports, but not yet twenty seconds.
        observe(3, 19);
        checkGrace(Cause.AFTER_OUTAGE);
        observe(4, 20);
        checkGrace(Cause.NONE);
    }

    function test_enough_time_but_not_enough_reports_is_grace_too() public {
        observe(1, 0);
        observe(2, 50);
        checkGrace(Cause.AFTER_OUTAGE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleUse.Unusable.selector, Action.LIQUIDATE, 0, Cause.AFTER_OUTAGE, 2, 3
            )
        );
        hub.requireUsable(Action.LIQUIDATE, 0);
        observe(3, 100);
        checkGrace(Cause.NONE);
    }

    function test_a_silence_beyond_the_heartbeat_begins_the_grace_again() public {
        settle();
        observe(4, 90);
        checkGrace(Cause.NONE);
        observe(5, 151);
        checkGrace(Cause.AFTER_OUTAGE);
        observe(6, 160);
        observe(7, 170);
        checkGrace(Cause.AFTER_OUTAGE);
        observe(8, 171);
        checkGrace(Cause.NONE);
        vm.assertTrue(hub.isUsable(Action.WITHDRAW, 0));
    }

    /// @dev A jump is a report: the oracle is not out, but it does not count until it is confirmed.
    function test_a_jump_neither_counts_nor_begins_the_grace() public {
        observe(1, 0);
        observe(2, 50);
        vm.warp(START + 100);
        vm.assertFalse(report(3, NOW_NS + 100 * SECOND, single(2000)));
        vm.warp(START + 150);
        vm.assertTrue(report(4, NOW_NS + 150 * SECOND, single(2000)));
        checkGrace(Cause.NONE);
        vm.assertEq(recordAt(4, 150, 2000).streak, 3);
        vm.assertEq(recordAt(4, 150, 2000).resumedAt, START);
    }

    function test_a_report_keeps_whether_a_liquidation_may_cite_it() public {
        settle();
        observe(4, 151);
        vm.assertTrue(hub.isUsableReport(hashAt(3, 60, 1000), Action.LIQUIDATE));
        vm.assertFalse(hub.isUsableReport(hashAt(4, 151, 1000), Action.LIQUIDATE));
        vm.assertTrue(hub.isUsableReport(hashAt(4, 151, 1000), Action.WITHDRAW));
        vm.warp(START + 1e6);
        vm.assertTrue(hub.isUsableReport(hashAt(3, 60, 1000), Action.LIQUIDATE));
        vm.assertFalse(hub.isUsableReport(hashAt(3, 60, 1001), Action.WITHDRAW));
    }

    function test_a_late_report_continues_the_one_that_vouches_for_it() public {
        settle();
        vm.assertTrue(late(base(3, 60), 4, 61, 1001));
        vm.assertTrue(hub.isUsableReport(hashAt(4, 61, 1001), Action.LIQUIDATE));
        // Not before it, and not after a silence.
        vm.assertTrue(late(base(3, 60), 2, 59, 1001));
        vm.assertFalse(hub.isUsableReport(hashAt(2, 59, 1001), Action.LIQUIDATE));
        vm.warp(START + 200);
        vm.assertTrue(late(base(3, 60), 9, 121, 1001));
        vm.assertFalse(hub.isUsableReport(hashAt(9, 121, 1001), Action.LIQUIDATE));
    }

    function test_a_late_jump_hands_on_the_streak_of_its_base() public {
        settle();
        vm.assertFalse(late(base(3, 60), 4, 61, 2000));
        Report memory jumped = Report(4, NOW_NS + 61 * SECOND, abi.encodePacked(int64(2000)));
        vm.assertTrue(late(jumped, 5, 62, 2001));
        vm.assertEq(recordAt(5, 62, 2001).streak, 4);
        vm.assertTrue(hub.isUsableReport(hashAt(5, 62, 2001), Action.LIQUIDATE));
    }

    function test_a_worse_base_named_later_or_earlier_changes_nothing() public {
        settle();
        vm.assertTrue(late(base(1, 0), 4, 61, 1001));
        vm.assertFalse(hub.isUsableReport(hashAt(4, 61, 1001), Action.LIQUIDATE));
        vm.warp(START + 70);
        vm.assertTrue(late(base(3, 60), 4, 61, 1001));
        vm.assertTrue(hub.isUsableReport(hashAt(4, 61, 1001), Action.LIQUIDATE));
        vm.assertEq(hub.acceptedAt(hashAt(4, 61, 1001)), START + 60);
        vm.assertTrue(late(base(1, 0), 4, 61, 1001));
        vm.assertTrue(hub.isUsableReport(hashAt(4, 61, 1001), Action.LIQUIDATE));
    }

    function test_a_grace_counts_up_to_a_hundred_and_streaks_to_255() public {
        for (uint64 i = 0; i < 260; ++i) {
            observe(i + 1, i);
        }
        vm.assertEq(recordAt(260, 259, 1000).streak, 255);
        checkGrace(Cause.NONE);
    }

    function test_RevertWhen_a_grace_is_none_or_endless() public {
        refuse(0, 0);
        refuse(101, 0);
        refuse(1, 1 days + 1);
        hub.setGrace(Grace(100, 1 days));
    }

    function test_a_new_hub_has_the_grace_that_it_was_given() public {
        IOracleHub.Limits memory limits = hub.limits();
        address[] memory signers = addresses(ORACLES);
        hub = new OracleHub(address(this), limits, Grace(7, 1 days), signers, QUORUM);
        vm.assertEq(hub.grace().reports, 7);
        vm.assertEq(hub.grace().lengthSeconds, 1 days);
        vm.expectRevert(abi.encodeWithSelector(IOracleUse.GraceOutOfRange.selector, 0, 0));
        new OracleHub(address(this), limits, Grace(0, 0), signers, QUORUM);
    }

    /// @dev What nobody confirmed keeps no price alive: two accepted reports are 100 seconds apart.
    function test_a_jump_that_nobody_confirms_does_not_bridge_a_silence() public {
        settle();
        jump(4, 110, 2000);
        observe(5, 160);
        checkGrace(Cause.AFTER_OUTAGE);
        vm.assertEq(recordAt(5, 160, 1000).resumedAt, START + 160);
        vm.assertEq(recordAt(5, 160, 1000).streak, 1);
    }

    /// @dev A jump after a silence begins the grace; what confirms it is the first to count.
    function test_a_jump_that_is_confirmed_later_began_the_grace() public {
        settle();
        jump(4, 200, 2000);
        vm.warp(START + 230);
        vm.assertTrue(report(5, NOW_NS + 230 * SECOND, single(2000)));
        vm.assertEq(recordAt(5, 230, 2000).resumedAt, START + 200);
        vm.assertEq(recordAt(5, 230, 2000).streak, 1);
    }

    /// @dev Or the stated time would be shown to have passed since 1970.
    function test_a_time_stated_without_a_base_continues_nothing() public {
        settle();
        vm.warp(START + 1000);
        Report memory none = Report(0, NOW_NS + 999 * SECOND, "");
        vm.assertFalse(late(none, 10, 1000, 3000));
        Report memory jumped = Report(10, NOW_NS + 1000 * SECOND, abi.encodePacked(int64(3000)));
        for (uint64 i = 1; i < 4; ++i) {
            vm.warp(START + 1000 + i);
            vm.assertTrue(late(jumped, 10 + i, 1000 + i, 3000));
            vm.assertFalse(hub.isUsableReport(hashAt(10 + i, 1000 + i, 3000), Action.LIQUIDATE));
            jumped = Report(10 + i, NOW_NS + (1000 + i) * SECOND, abi.encodePacked(int64(3000)));
        }
        vm.assertEq(recordAt(13, 1003, 3000).resumedAt, START + 1000);
    }

    /// @dev A chain that hangs on nothing: its first report is vouched for by the second, and then
    /// each is brought again, until the third has what `submit` would have given it.
    function test_a_chain_that_is_brought_late_from_nothing_settles_in_the_end() public {
        settle();
        vm.warp(START + 10_000);
        Report memory none;
        vm.assertFalse(late(none, 10, 1000, 3000));
        vm.assertTrue(late(reportAt(10, 1000), 11, 1010, 3000));
        vm.assertTrue(late(reportAt(11, 1010), 12, 1020, 3000));
        vm.assertFalse(hub.isUsableReport(hashAt(12, 1020, 3000), Action.LIQUIDATE));
        vm.assertTrue(late(reportAt(11, 1010), 10, 1000, 3000));
        vm.assertTrue(late(reportAt(10, 1000), 11, 1010, 3000));
        vm.assertTrue(late(reportAt(11, 1010), 12, 1020, 3000));
        vm.assertTrue(hub.isUsableReport(hashAt(12, 1020, 3000), Action.LIQUIDATE));
        vm.assertEq(recordAt(12, 1020, 3000).resumedAt, START + 1000);
        vm.assertEq(recordAt(12, 1020, 3000).streak, 3);
    }

    function test_the_better_of_what_two_bases_show_counts() public {
        settle();
        // One base shows that there was no silence since the start, another that two were accepted.
        vm.assertTrue(late(base(1, 0), 4, 59, 1001));
        vm.assertEq(recordAt(4, 59, 1001).streak, 2);
        vm.assertTrue(late(base(3, 60), 4, 59, 1001));
        vm.assertEq(recordAt(4, 59, 1001).streak, 2);
        vm.assertEq(recordAt(4, 59, 1001).resumedAt, START);
        vm.assertTrue(late(base(2, 30), 4, 59, 1001));
        vm.assertEq(recordAt(4, 59, 1001).streak, 3);
    }

    /// @dev Accepted behind one base, a jump behind another: the first vouches, the second shows more.
    function test_what_is_accepted_may_continue_a_report_that_it_jumped_from() public {
        settle();
        Report memory none;
        vm.assertFalse(late(none, 5, 62, 3001));
        Report memory twin = Report(5, NOW_NS + 62 * SECOND, abi.encodePacked(int64(3001)));
        vm.assertTrue(late(twin, 6, 63, 3000));
        vm.assertTrue(late(reportAt(6, 63), 4, 61, 3000));
        vm.assertFalse(hub.isUsableReport(hashAt(4, 61, 3000), Action.LIQUIDATE));
        vm.assertFalse(late(base(3, 60), 4, 61, 3000));
        vm.assertTrue(hub.isUsableReport(hashAt(4, 61, 3000), Action.LIQUIDATE));
        vm.assertEq(hub.jumpedAt(hashAt(4, 61, 3000)), 0);
    }

    function jump(uint64 round, uint64 elapsed, int64 value) private {
        vm.warp(START + elapsed);
        vm.assertFalse(report(round, NOW_NS + elapsed * SECOND, single(value)));
    }

    /// @dev A report of 3000.
    function reportAt(uint64 round, uint64 elapsed) private pure returns (Report memory) {
        return Report(round, NOW_NS + elapsed * SECOND, abi.encodePacked(int64(3000)));
    }

    function refuse(uint8 reports, uint32 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(IOracleUse.GraceOutOfRange.selector, reports, length)
        );
        hub.setGrace(Grace(reports, length));
    }

    function settle() private {
        observe(1, 0);
        observe(2, 30);
        observe(3, 60);
        checkGrace(Cause.NONE);
    }

    /// @dev An agreed report of 1000, so many seconds after the start.
    function observe(uint64 round, uint64 elapsed) private {
        vm.warp(START + elapsed);
        vm.assertTrue(report(round, NOW_NS + elapsed * SECOND, single(1000)));
    }

    function late(Report memory support, uint64 round, uint64 elapsed, int64 value)
        private
        returns (bool)
    {
        uint64 time = NOW_NS + elapsed * SECOND;
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(round, time, value);
        return hub.submitLate(support, round, time, values, signatures);
    }

    function base(uint64 round, uint64 elapsed) private pure returns (Report memory) {
        return Report(round, NOW_NS + elapsed * SECOND, abi.encodePacked(int64(1000)));
    }

    function checkGrace(Cause expected) private view {
        (Cause cause,,) = hub.assess(Action.LIQUIDATE, 0);
        vm.assertEq(uint256(cause), uint256(expected));
        vm.assertTrue(hub.isUsable(Action.WITHDRAW, 0));
        vm.assertTrue(hub.isUsable(Action.TRADE, 0));
    }

    function recordAt(uint64 round, uint64 elapsed, int64 value)
        private
        view
        returns (ReportRecord memory)
    {
        return hub.recordOf(hashAt(round, elapsed, value));
    }

    function hashAt(uint64 round, uint64 elapsed, int64 value) private pure returns (bytes32) {
        return keccak256(abi.encode(round, NOW_NS + elapsed * SECOND, abi.encodePacked(value)));
    }
}
