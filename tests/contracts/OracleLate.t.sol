// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {Medians} from "../../contracts/libraries/Medians.sol";
import {Report} from "../../contracts/types/Epoch.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev Reports that `submit` no longer takes: INV-6 for them, and O-6 without an order.
contract OracleLateTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);

    Report private _none;

    function setUp() public {
        deployHub(1);
        report(1, NOW_NS, single(1000));
    }

    /// @dev Seven signed; the log has the median of all. A stranger who sees them in the pool
    /// submits five of them first: another median, and the round is taken.
    function test_a_report_overtaken_by_another_quorum_of_its_round_is_accepted_late() public {
        (bytes[] memory values, bytes[] memory signatures) = seven(2);
        (bytes[] memory five, bytes[] memory theirs) = (new bytes[](5), new bytes[](5));
        for (uint256 i = 0; i < 5; ++i) {
            (five[i], theirs[i]) = (values[i + 2], signatures[i + 2]);
        }
        vm.prank(address(0xbad));
        hub.submit(2, NOW_NS + 1, five, theirs);
        vm.assertEq(hub.price(0), 1004);
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.RoundNotNew.selector, 2, 2));
        hub.submit(2, NOW_NS + 1, values, signatures);

        vm.assertTrue(hub.submitLate(base(1, NOW_NS, 1000), 2, NOW_NS + 1, values, signatures));
        vm.assertEq(hub.acceptedAt(hashOf(2, NOW_NS + 1, 1003)), START);
        vm.assertEq(hub.price(0), 1004);
    }

    function test_a_report_older_than_the_heartbeat_is_accepted_late() public {
        vm.warp(START + 3600);
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, NOW_NS + 1, 1050);
        vm.assertTrue(hub.submitLate(base(1, NOW_NS, 1000), 2, NOW_NS + 1, values, signatures));
        vm.assertEq(hub.acceptedAt(hashOf(2, NOW_NS + 1, 1050)), START + 3600);
        (int64 value,, uint64 round) = hub.latest(0);
        vm.assertEq(value, 1000);
        vm.assertEq(round, 1);
        vm.assertFalse(hub.isFresh());
    }

    function test_a_late_report_beyond_the_band_is_only_recorded() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, NOW_NS + 1, 1051);
        vm.assertFalse(hub.submitLate(base(1, NOW_NS, 1000), 2, NOW_NS + 1, values, signatures));
        vm.assertEq(hub.acceptedAt(hashOf(2, NOW_NS + 1, 1051)), 0);
        vm.assertEq(hub.jumpedAt(hashOf(2, NOW_NS + 1, 1051)), START);
    }

    function test_a_late_jump_is_accepted_with_the_report_that_confirms_it() public {
        late(_none, 2, 2000);
        vm.assertTrue(late(base(2, NOW_NS + 2, 2000), 3, 2010));
        vm.assertEq(hub.jumpedAt(hashOf(2, NOW_NS + 2, 2000)), START);
        vm.assertEq(hub.acceptedAt(hashOf(2, NOW_NS + 2, 2000)), 0);
        vm.assertEq(hub.acceptedAt(hashOf(3, NOW_NS + 3, 2010)), START);
        vm.assertEq(hub.price(0), 1000);
    }

    function test_a_jump_that_waits_in_the_sequence_vouches_for_a_late_report() public {
        vm.assertFalse(report(2, NOW_NS + 2, single(2000)));
        vm.assertTrue(late(base(2, NOW_NS + 2, 2000), 3, 2010));
    }

    function test_no_jump_vouches_for_itself_or_for_its_own_round() public {
        late(_none, 2, 2000);
        vm.assertFalse(late(base(2, NOW_NS + 2, 2000), 2, 2000));
        vm.assertFalse(late(base(2, NOW_NS + 2, 2000), 2, 2001));
        vm.assertFalse(late(base(2, NOW_NS + 2, 2000), 1, 2001));
        vm.assertEq(hub.acceptedAt(hashOf(2, NOW_NS + 2, 2000)), 0);
    }

    function test_a_late_report_never_changes_what_submit_takes_next() public {
        late(base(1, NOW_NS, 1000), 9, 1001);
        late(_none, 8, 2000);
        vm.assertTrue(report(2, NOW_NS + 1, single(1000)));
        vm.assertFalse(report(3, NOW_NS + 2, single(2000)));
    }

    function test_a_base_that_was_never_recorded_is_refused() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, NOW_NS + 1, 1000);
        vm.expectRevert(
            abi.encodeWithSelector(IOracleHub.UnknownBase.selector, hashOf(1, NOW_NS, 1001))
        );
        hub.submitLate(base(1, NOW_NS, 1001), 2, NOW_NS + 1, values, signatures);
    }

    function test_a_late_report_needs_its_quorum_and_may_not_be_ahead() public {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(2, NOW_NS + 1, 1000);
        vm.expectPartialRevert(IOracleHub.UnknownSigner.selector);
        hub.submitLate(base(1, NOW_NS, 1000), 3, NOW_NS + 1, values, signatures);
        (values, signatures) = (new bytes[](4), new bytes[](4));
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.NoQuorum.selector, 4, 5));
        hub.submitLate(base(1, NOW_NS, 1000), 2, NOW_NS + 1, values, signatures);
        uint64 ahead = NOW_NS + MAX_SKEW_NS + 1;
        (values, signatures) = quorumOf(2, ahead, 1000);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOracleHub.ObservedInFuture.selector, ahead, uint256(NOW_NS) + MAX_SKEW_NS
            )
        );
        hub.submitLate(base(1, NOW_NS, 1000), 2, ahead, values, signatures);
    }

    /// @dev O-2: of every observed value, as in the engine; a median would hide one that is not.
    function test_one_value_that_is_not_positive_spoils_the_round() public {
        (bytes[] memory values,) = seven(2);
        values[6] = still(abi.encodePacked(int64(-5)));
        bytes[] memory signatures = signAll(2, NOW_NS + 1, values);
        vm.expectRevert(abi.encodeWithSelector(Medians.ValueNotPositive.selector, 0, -5));
        hub.submit(2, NOW_NS + 1, values, signatures);
    }

    function seven(uint64 round)
        private
        view
        returns (bytes[] memory values, bytes[] memory signatures)
    {
        values = new bytes[](7);
        for (uint256 i = 0; i < 7; ++i) {
            values[i] = still(abi.encodePacked(int64(uint64(1000 + i))));
        }
        signatures = signAll(round, NOW_NS + 1, values);
    }

    function late(Report memory support, uint64 round, int64 value) private returns (bool) {
        uint64 observedAt = NOW_NS + round;
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(round, observedAt, value);
        return hub.submitLate(support, round, observedAt, values, signatures);
    }

    function base(uint64 round, uint64 observedAt, int64 value)
        private
        pure
        returns (Report memory)
    {
        return Report(round, observedAt, abi.encodePacked(value));
    }

    function hashOf(uint64 round, uint64 observedAt, int64 value) private pure returns (bytes32) {
        return keccak256(abi.encode(round, observedAt, abi.encodePacked(value)));
    }
}
