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

    function test_a_new_hub_asks_for_three_reports_and_a_heartbeat_of_at_most_a_day() public {
        deployHub(1);
        vm.assertEq(hub.grace().reports, 3);
        vm.assertEq(hub.grace().lengthSeconds, HEARTBEAT_NS / 1e9);
        hub = new OracleHub(
            address(this),
            IOracleHub.Limits(1, BAND_E6, uint64(3 days) * SECOND, MAX_SKEW_NS),
            addresses(ORACLES),
            QUORUM
        );
        vm.assertEq(hub.grace().lengthSeconds, 1 days);
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
