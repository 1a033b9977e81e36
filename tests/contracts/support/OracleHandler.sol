// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Report} from "../../../contracts/types/Epoch.sol";
import {Oracles} from "./Oracles.sol";
import {vm} from "./Vm.sol";

/// @dev Drives the hub with small moves, jumps, stale rounds and late reports, and keeps its own
/// idea of what is accepted: never read from the contract under test.
contract OracleHandler is Oracles {
    uint256 private constant ONE = 1e6;

    uint64 public round; // of the last accepted report
    uint64 public newestRound; // of the last report taken, accepted or pending
    uint64 public observedAt;
    int64 public last;
    int64 public pending; // 0 when nothing waits
    uint256 public disagreements; // must stay 0
    uint256 public wildSteps; // accepted ones that nothing allowed; must stay 0
    uint256 public accepted;
    uint256 public confirmed;
    uint256 public lateAccepted;

    uint64 private _time = uint64(START * 1e9);
    bytes[] private _values;
    Report[] private _jumps;

    constructor() {
        deployHub(1);
    }

    /// @dev Signers differ a little, so that the median is not the first value.
    function step(int64 move, uint8 spread) external {
        (int64 from,) = from_();
        send(bounded(from, int256(move) % 60_001), spread);
    }

    function jump(int64 move, uint8 spread) external {
        (int64 from,) = from_();
        send(bounded(from, int256(move) % 900_001), spread);
    }

    function confirm(int64 move, uint8 spread) external {
        if (pending == 0) return;
        send(bounded(pending, int256(move) % 60_001), spread);
    }

    /// @dev A round that is not new, or an observation that is not: always refused.
    function repeat(uint8 back) external {
        if (newestRound == 0) return;
        uint64 old = newestRound - uint64(back) % newestRound;
        if (tryLater(old, _time + 1, last)) disagreements += 1;
        if (tryLater(newestRound + 1, observedAt, last)) disagreements += 1;
    }

    /// @dev Late reports stand beside the sequence, vouched for by the last accepted report or by
    /// any that jumped.
    function late(uint256 choice, int64 move, bool sameRound) external {
        if (_jumps.length == 0) return;
        Report memory base = _jumps[choice % _jumps.length];
        int64 from = int64(uint64(bytes8(base.medians)));
        int64 value = bounded(from, int256(move) % 60_001);
        uint64 reported = sameRound ? base.round : base.round + 1;
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(reported, _time, value);
        bool done = hub.submitLate(base, reported, _time, values, signatures);
        bool expected = !sameRound && _time > base.observedAt && within(value, from);
        if (done != expected) disagreements += 1;
        if (done) lateAccepted += 1;
    }

    function send(int64 value, uint8 spread) private {
        uint64 next = newestRound + 1 + spread % 3;
        _time += 1e9;
        vm.warp(_time / 1e9);
        delete _values;
        for (uint256 i = 0; i < QUORUM; ++i) {
            // The third of five, ascending, is the value itself.
            int256 seen = int256(value) + (int256(i) - 2) * int256(uint256(spread));
            _values.push(abi.encodePacked(int64(seen > 0 ? seen : int256(1))));
        }
        bool done = hub.submit(next, _time, _values, signAll(next, _time, _values));
        note(next, value, done);
    }

    function note(uint64 next, int64 value, bool done) private {
        bool near = last == 0 || within(value, last);
        bool confirms = pending != 0 && within(value, pending);
        if (done != (near || confirms)) disagreements += 1;
        if (done && !near && !confirms) wildSteps += 1;
        (newestRound, observedAt) = (next, _time);
        if (done) {
            (round, last, pending) = (next, value, 0);
            accepted += 1;
            if (!near) confirmed += 1;
        } else {
            pending = value;
            _jumps.push(Report(next, _time, abi.encodePacked(value)));
        }
    }

    function tryLater(uint64 reported, uint64 time, int64 value) private returns (bool done) {
        (bytes[] memory values, bytes[] memory signatures) = quorumOf(reported, time, value);
        (done,) =
            address(hub).call(abi.encodeCall(hub.submit, (reported, time, values, signatures)));
    }

    function hubState() external view returns (int64 value, uint64 time, uint64 number) {
        return hub.latest(0);
    }

    function from_() private view returns (int64, bool) {
        return last == 0 ? (int64(100_000e8), true) : (last, false);
    }

    /// @dev `from` moved by millionths, kept well inside its type and above the spread.
    function bounded(int64 from, int256 moveE6) private pure returns (int64) {
        int256 value = int256(from) + int256(from) * moveE6 / int256(ONE);
        if (value < 1e6) value = 1e6;
        if (value > 1e17) value = 1e17;
        return int64(value);
    }

    function within(int64 value, int64 base) private pure returns (bool) {
        int256 step_ = int256(value) - base;
        if (step_ < 0) step_ = -step_;
        return uint256(step_) * ONE <= uint256(int256(base)) * BAND_E6;
    }
}
