// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../../contracts/oracle/OracleHub.sol";
import {Report} from "../../../contracts/types/Epoch.sol";
import {
    ANY_RANGE_E5,
    Action,
    Cause,
    FeedLimit,
    Grace,
    UseRule
} from "../../../contracts/types/OracleUse.sol";
import {OracleGhost} from "./OracleGhost.sol";
import {vm} from "./Vm.sol";
import {Bug, PlantedOracleHub} from "./planted/PlantedOracleHub.sol";

/// @dev Drives the hub with small moves, jumps, silences, lies, disagreement, late reports and what
/// must be refused, and counts by invariant where it does not do what the ghost says.
contract OracleHandler is OracleGhost {
    uint256 public constant GRACE = 8; // stands for L-5; the others for their O
    uint256 public constant RULES = 9;

    uint256[9] public faults; // must stay 0
    uint256 public lateAccepted;
    uint256 public usable;

    Report[] private _jumps;

    constructor(Bug bug) {
        deployHub(2);
        IOracleHub.Limits memory limits = hub.limits();
        Grace memory grace = Grace(uint8(GRACE_REPORTS), uint32(GRACE_SECONDS));
        hub = bug == Bug.NONE
            ? new OracleHub(address(this), limits, grace, addresses(ORACLES), QUORUM)
            : new PlantedOracleHub(bug, address(this), limits, grace, addresses(ORACLES), QUORUM);
        hub.setFeedLimit(1, FeedLimit(uint64(FEED_HEARTBEAT * 1e9), uint32(FEED_BAND_E6)));
        uint64 ageNs = uint64(LIQUIDATION_AGE * 1e9);
        hub.setUseRule(Action.LIQUIDATE, UseRule(ageNs, 10_000, true, true, ANY_RANGE_E5));
    }

    /// @dev Signers differ a little, so that the median is not the first value.
    function step(int64 move, uint8 spread) external {
        send(bounded(origin(), int256(move) % 60_001), int256(uint256(spread)), 0, spread);
    }

    function jump(int64 move, uint8 spread) external {
        send(bounded(origin(), int256(move) % 900_001), int256(uint256(spread)), 0, spread);
    }

    function confirm(int64 move, uint8 spread) external {
        int64 from = pending == 0 ? origin() : pending;
        send(bounded(from, int256(move) % 60_001), int256(uint256(spread)), 0, spread);
    }

    /// @dev Observers who disagree by up to three hundredths.
    function disperse(uint16 strayE6) external {
        int256 value = origin();
        send(int64(value), value * int256(uint256(strayE6) % 30_001) / 2e6, 0, 0);
    }

    /// @dev One of five says anything.
    function lie(int64 move, int64 told) external {
        int64 value = bounded(origin(), int256(move) % 40_001);
        send(value, 3, told == type(int64).min ? int64(1) : told < 0 ? -told : told, 1);
    }

    function wait(uint8 length) external {
        clock += uint256(length) % 100;
        vm.warp(clock);
        checkUse();
    }

    /// @dev O-7, O-1: a round that is not new, an observation that is not, one ahead, one too old.
    function mistime(uint8 back) external {
        vm.warp(clock);
        if (newestRound == 0) return;
        uint64 old = newestRound - uint64(back) % newestRound;
        refuse(7, old, clock + 1, quorumVectors(last));
        refuse(7, newestRound + 1, newestTime, quorumVectors(last));
        refuse(7, newestRound + 1, clock + MAX_SKEW_NS / 1e9 + 1 + back, quorumVectors(last));
        if (clock <= newestTime + HEARTBEAT + 1) return;
        refuse(1, newestRound + 1, clock - HEARTBEAT - 1, quorumVectors(last));
    }

    /// @dev O-2: one value of one observer is zero or less.
    function poison(uint8 place, int64 value) external {
        vm.warp(clock);
        bytes[] memory values = quorumVectors(origin());
        int64 bad = value > 0 ? -value : value;
        values[uint256(place) % QUORUM] = still(
            place % 2 == 0 ? abi.encodePacked(bad, origin()) : abi.encodePacked(origin(), bad)
        );
        refuse(2, newestRound + 1, clock + 1, values);
    }

    /// @dev O-3: one signer too few, one twice, one who is nobody.
    function thin(uint8 choice) external {
        vm.warp(clock);
        (uint64 next, uint64 time) = (newestRound + 1, uint64((clock + 1) * 1e9));
        bytes[] memory values = quorumVectors(origin());
        bytes[] memory signatures = signAll(next, time, values);
        if (choice % 3 == 0) {
            assembly ("memory-safe") {
                mstore(values, 4)
                mstore(signatures, 4)
            }
        } else if (choice % 3 == 1) {
            signatures[uint256(choice) % 4 + 1] = signatures[uint256(choice) % 4];
        } else {
            signatures[uint256(choice) % 5] = sign(0, next + 1, time, values[0]);
        }
        note(3, !trySubmit(next, time, values, signatures));
    }

    /// @dev Late reports stand beside the sequence, vouched for by any that jumped.
    function late(uint256 choice, int64 move, bool sameRound) external {
        vm.warp(clock);
        if (_jumps.length == 0) return;
        Report memory base = _jumps[choice % _jumps.length];
        int64 from = int64(uint64(bytes8(base.medians)));
        int64 value = bounded(from, int256(move) % 60_001);
        uint64 reported = sameRound ? base.round : base.round + 1;
        uint64 time = uint64(clock * 1e9);
        bytes[] memory values = quorumVectors(value);
        bytes[] memory signatures = signAll(reported, time, values);
        bool done = hub.submitLate(base, reported, time, values, signatures);
        bool expected = !sameRound && time > base.observedAt && within(value, from, BAND_E6);
        note(6, done == expected);
        if (done) lateAccepted += 1;
        checkUse();
    }

    /// @dev Five observations around a value, the third of which it is; the last may be a lie.
    function send(int64 value, int256 stray, int64 lie_, uint8 skip) private {
        clock += 1;
        vm.warp(clock);
        int64[] memory seen = new int64[](QUORUM);
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            int256 one = int256(value) + (int256(i) - 2) * stray;
            seen[i] = int64(one > 0 ? one : int256(1));
            if (i == QUORUM - 1 && lie_ != 0) seen[i] = lie_ / 3 + 1;
            values[i] = still(abi.encodePacked(seen[i], seen[i] * 2));
        }
        int64 median = medianOf(seen);
        uint64 next = newestRound + 1 + skip % 3;
        uint64 time = uint64(clock * 1e9);
        bool expected = shouldAccept(median);
        bool done = hub.submit(next, time, values, signAll(next, time, values));
        note(lie_ == 0 ? 6 : 5, done == expected);
        take(next, median, dispersionOf(seen));
        if (pending == median) {
            _jumps.push(Report(next, time, abi.encodePacked(median, median * 2)));
        }
        checkUse();
    }

    /// @dev The hub says of every action and feed what the ghost says, and has its prices.
    function checkUse() private {
        for (uint256 i = 0; i < 8; ++i) {
            Cause cause = causeOf(Action(i / 2), i % 2);
            bool isUsable = hub.isUsable(Action(i / 2), i % 2);
            if (isUsable) usable += 1;
            note(ruleOf(cause), isUsable == (cause == Cause.NONE));
        }
        if (last == 0) return;
        (int64 value, uint64 time, uint64 number) = hub.latest(0);
        (int64 other,,) = hub.latest(1);
        note(5, value == last && other == last * 2);
        note(2, value > 0 && other > 0);
        note(7, number == round && time == acceptedTime * 1e9);
        note(1, hub.isFresh() == (clock - acceptedTime <= HEARTBEAT));
    }

    /// @dev Which invariant says so. What should be usable is never held back but by a jump.
    function ruleOf(Cause cause) private pure returns (uint256) {
        if (cause == Cause.TOO_OLD || cause == Cause.NO_REPORT) return 1;
        if (cause == Cause.DISPERSED) return 4;
        return cause == Cause.AFTER_OUTAGE ? GRACE : 6;
    }

    function refuse(uint256 rule, uint64 number, uint256 time, bytes[] memory values) private {
        uint64 timeNs = uint64(time * 1e9);
        note(rule, !trySubmit(number, timeNs, values, signAll(number, timeNs, values)));
    }

    /// @dev Whether the hub takes it; nothing is kept of what it does.
    function trySubmit(uint64 number, uint64 time, bytes[] memory values, bytes[] memory signatures)
        private
        returns (bool done)
    {
        try this.attempt(number, time, values, signatures) {}
        catch (bytes memory reason) {
            done = keccak256(reason) == keccak256("taken");
        }
    }

    function attempt(
        uint64 number,
        uint64 time,
        bytes[] calldata values,
        bytes[] calldata signatures
    ) external {
        (bool done,) = address(hub)
            .call(abi.encodeCall(hub.submit, (number, time, values, signatures)));
        bytes memory answer = done ? bytes("taken") : bytes("refused");
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function note(uint256 rule, bool holds) private {
        if (!holds) faults[rule] += 1;
    }

    function quorumVectors(int64 value) private pure returns (bytes[] memory values) {
        values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            values[i] = still(abi.encodePacked(value, value * 2));
        }
    }

    function origin() private view returns (int64) {
        return last == 0 ? int64(100_000e8) : last;
    }

    /// @dev `from` moved by millionths, kept well inside its type and above the spread.
    function bounded(int64 from, int256 moveE6) private pure returns (int64) {
        int256 value = int256(from) + int256(from) * moveE6 / int256(ONE);
        if (value < 1e6) value = 1e6;
        if (value > 1e17) value = 1e17;
        return int64(value);
    }
}
