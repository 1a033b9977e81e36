// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Medians} from "../../../../contracts/libraries/Medians.sol";
import {Observations} from "../../../../contracts/libraries/Observations.sol";
import {OracleHub} from "../../../../contracts/oracle/OracleHub.sol";
import {Action, Cause, Grace} from "../../../../contracts/types/OracleUse.sol";

/// @dev What may be wrong with a hub, and which invariant that breaks.
enum Bug {
    NONE,
    AGE_IGNORED, // O-1
    FEED_HEARTBEAT_IGNORED, // O-1
    NEGATIVE_TAKEN, // O-2
    SIGNER_COUNTED_TWICE, // O-3
    QUORUM_IGNORED, // O-3
    DISPERSION_LOST, // O-4
    MIDDLE_OF_THE_EXTREMES, // O-5
    BAND_IGNORED, // O-6
    FEED_BAND_IGNORED, // O-6
    WITHDRAWAL_HELD, // O-6
    ROUNDS_REPEAT, // O-7
    FUTURE_TAKEN, // O-7
    GRACE_SKIPPED // L-5
}

/// @dev The hub with one bug, which the handler must notice.
contract PlantedOracleHub is OracleHub {
    Bug private immutable _bug;

    constructor(
        Bug bug,
        address governor_,
        Limits memory limits_,
        Grace memory grace_,
        address[] memory signers_,
        uint8 quorum_
    ) OracleHub(governor_, limits_, grace_, signers_, quorum_) {
        _bug = bug;
    }

    function assess(Action action, uint256 feed)
        public
        view
        override
        returns (Cause, uint256, uint256)
    {
        if (_bug == Bug.WITHDRAWAL_HELD && _pending.round != 0) {
            return (Cause.JUMPED, 1, 0);
        }
        return super.assess(action, feed);
    }

    function _ageNs(uint64 observedAt) internal view override returns (uint256) {
        return _bug == Bug.AGE_IGNORED ? 0 : super._ageNs(observedAt);
    }

    function _heartbeatNsOf(uint256 feed) internal view override returns (uint64) {
        return _bug == Bug.FEED_HEARTBEAT_IGNORED ? _heartbeatNs : super._heartbeatNsOf(feed);
    }

    function _summarise(bytes[] calldata vectors)
        internal
        view
        override
        returns (Observations.Summary memory seen)
    {
        if (_bug == Bug.NEGATIVE_TAKEN && hasNegative(vectors)) {
            seen.medians = vectors[0][:8 * _feeds];
            (seen.lows, seen.highs) = (seen.medians, seen.medians);
            seen.shares = new bytes(4 * _feeds);
            return seen;
        }
        seen = super._summarise(vectors);
        if (_bug == Bug.DISPERSION_LOST) seen.shares = new bytes(4 * _feeds);
        if (_bug != Bug.MIDDLE_OF_THE_EXTREMES) return seen;
        for (uint256 f = 0; f < _feeds; ++f) {
            (int64 low, int64 high) = (type(int64).max, int64(0));
            for (uint256 v = 0; v < vectors.length; ++v) {
                int64 value = Observations.valueAt(vectors[v], f);
                if (value < low) low = value;
                if (value > high) high = value;
            }
            Observations.put(seen.medians, f, low + (high - low) / 2);
        }
    }

    function _checkSignatures(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) internal view override {
        if (_bug == Bug.QUORUM_IGNORED) return;
        if (_bug != Bug.SIGNER_COUNTED_TWICE) {
            super._checkSignatures(round, observedAt, vectors, signatures);
            return;
        }
        require(vectors.length >= quorum, NoQuorum(vectors.length, quorum));
        for (uint256 i = 0; i < vectors.length; ++i) {
            _signerOf(round, observedAt, vectors[i], signatures[i]);
        }
    }

    function _isAcceptable(bytes memory medians) internal view override returns (bool) {
        return _bug == Bug.BAND_IGNORED || super._isAcceptable(medians);
    }

    function _steepFeeds(
        bytes memory medians,
        bytes memory last,
        bytes memory pending,
        bool isPending
    ) internal view override returns (uint256) {
        if (_bug == Bug.FEED_BAND_IGNORED) return 0;
        return super._steepFeeds(medians, last, pending, isPending);
    }

    function _checkTimes(uint64 round, uint64 observedAt) internal view override {
        if (_bug != Bug.ROUNDS_REPEAT) super._checkTimes(round, observedAt);
    }

    function _checkNotAhead(uint64 observedAt) internal view override {
        if (_bug != Bug.FUTURE_TAKEN) super._checkNotAhead(observedAt);
    }

    function _isGraceOver(uint64 observedAt, uint40 resumedAt, uint8 streak)
        internal
        view
        override
        returns (bool)
    {
        return _bug == Bug.GRACE_SKIPPED || super._isGraceOver(observedAt, resumedAt, streak);
    }

    function hasNegative(bytes[] calldata vectors) private view returns (bool) {
        for (uint256 v = 0; v < vectors.length; ++v) {
            int64[] memory one = Medians.unpack(vectors[v][:8 * _feeds]);
            for (uint256 f = 0; f < one.length; ++f) {
                if (one[f] <= 0) return true;
            }
        }
        return false;
    }
}
