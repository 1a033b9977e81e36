// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernedLimits} from "../../../contracts/interfaces/IGovernedLimits.sol";
import {IRiskParameters} from "../../../contracts/interfaces/IRiskParameters.sol";
import {Terms} from "../../../contracts/types/Liquidation.sol";
import {GovernanceRig} from "./GovernanceRig.sol";

/// @dev What governance ought to be, kept apart from the contracts: only what was announced, by
/// whom and when. Each break of a rule is counted under the rule's name.
contract GovernanceGhost is GovernanceRig {
    uint256 internal constant ASSETS = 3;
    uint256 internal constant LONGEST = 72 hours;
    uint256 private constant ONE = 1e6;
    uint256 private constant REMEMBERED = 8;

    struct Outflow {
        uint256 floor;
        uint256 share;
        uint256 raisedFloor;
        uint256 raisedShare;
        uint256 raisedAt;
    }

    /// @dev What the caps may be: at most `bound` now, on the way to `target`.
    struct Cap {
        uint256 bound;
        uint256 target;
    }

    struct Retired {
        bytes32 hash;
        uint256 since;
    }

    mapping(bytes32 rule => uint256) public violations;

    Outflow[ASSETS] private _outflow;
    Cap[ASSETS] private _cap;
    uint256 private _observedAt;
    uint256[ASSETS + 1] private _restrictedSince;

    Terms private _terms;
    bytes32 private _document = "document";
    uint256[8] private _steppedAt;
    Retired[] private _retired;

    function startGhost() internal {
        for (uint256 asset = 0; asset < ASSETS; ++asset) {
            _outflow[asset] = Outflow(asset == 0 ? CASH_FLOOR : TOKEN_FLOOR, SHARE_E6, 0, 0, 0);
        }
        _cap[0].target = CASH_TARGET;
        _observedAt = block.timestamp;
        _terms = firstTerms();
    }

    /// @dev The governor raised or lowered the outflow of an asset just now.
    function ghostOutflow(uint256 asset, uint256 floor, uint256 share) internal {
        Outflow storage o = _outflow[asset];
        settle(o);
        if (floor <= o.floor && share <= o.share) {
            (o.floor, o.share, o.raisedAt) = (floor, share, 0);
        } else {
            (o.raisedFloor, o.raisedShare, o.raisedAt) =
            (floor, share, block.timestamp + RAISE_DELAY);
        }
    }

    function ghostCap(uint256 asset, uint256 target) internal {
        Cap storage cap = _cap[asset];
        if (target < cap.bound) cap.bound = target;
        cap.target = target;
    }

    /// @dev The governor adopted a set just now: of these terms, and this document.
    function ghostAdopt(Terms memory terms_, bytes32 document) internal {
        _retired.push(Retired(hash(), block.timestamp));
        (_terms, _document) = (terms_, document);
    }

    /// @dev The risk setter tightened just now: G-1 and G-2.
    function ghostTighten(Terms memory next) internal {
        uint256[8] memory from = abi.decode(abi.encode(_terms), (uint256[8]));
        uint256[8] memory to = abi.decode(abi.encode(next), (uint256[8]));
        for (uint256 term = 0; term < 8; ++term) {
            if (from[term] == to[term]) continue;
            bool isFall = to[term] < from[term];
            bool isDown = term == 4 || term == 7;
            if (term == 6 || isFall != isDown) violations["G-1 terms"] += 1;
            uint256 moved = isFall ? from[term] - to[term] : to[term] - from[term];
            bool isSoon = block.timestamp < _steppedAt[term] + STEP_PERIOD;
            if (moved * ONE > from[term] * MAX_STEP_E6 || isSoon) violations["G-2"] += 1;
            _steppedAt[term] = block.timestamp;
        }
        ghostAdopt(next, _document);
    }

    /// @dev Compares everything, after every action.
    function observe() internal {
        uint256 elapsed = block.timestamp - _observedAt;
        _observedAt = block.timestamp;
        observeRestriction(0, limits.areDepositsPaused());
        for (uint256 asset = 0; asset < ASSETS; ++asset) {
            observeCap(uint8(asset), elapsed);
            observeOutflow(uint8(asset));
        }
        observeSet();
    }

    /// @dev G-5: no faster than the whole target in one ramp, from zero.
    function observeCap(uint8 asset, uint256 elapsed) private {
        Cap storage cap = _cap[asset];
        if (elapsed > RAMP) elapsed = RAMP;
        cap.bound += cap.target * elapsed / RAMP + 1;
        if (cap.bound > cap.target) cap.bound = cap.target;
        if (limits.depositCap(asset) > cap.bound) violations["G-5"] += 1;
    }

    /// @dev G-3: no more than was announced a delay ago, and never nothing.
    function observeOutflow(uint8 asset) private {
        Outflow storage o = _outflow[asset];
        settle(o);
        bool isLowered = false;
        for (uint256 held = 0; held < 1e24; held = held * 1e4 + 1e8) {
            uint256 allowed = held * o.share / ONE;
            if (allowed < o.floor) allowed = o.floor;
            uint256 cap = limits.outflowCap(asset, held);
            if (cap > allowed) violations["G-3"] += 1;
            if (cap == 0 || cap < allowed / 4) violations["stopped"] += 1;
            if (cap < allowed) isLowered = true;
        }
        observeRestriction(asset + 1, isLowered);
    }

    /// @dev What the guardian does ends within 72 hours.
    function observeRestriction(uint256 kind, bool isRestricted) private {
        if (!isRestricted) _restrictedSince[kind] = 0;
        else if (_restrictedSince[kind] == 0) _restrictedSince[kind] = block.timestamp;
        else if (block.timestamp >= _restrictedSince[kind] + LONGEST) violations["72 h"] += 1;
    }

    /// @dev G-6: the hash is that of the terms, and others are accepted for their grace only.
    function observeSet() private {
        bytes32 current = hash();
        if (parameters.paramsHash() != current) violations["G-6"] += 1;
        if (!parameters.isAcceptable(current)) violations["G-6"] += 1;
        uint256 count = _retired.length;
        uint256 first = count > REMEMBERED ? count - REMEMBERED : 0;
        for (uint256 i = first; i < count; ++i) {
            if (_retired[i].hash == current || isRetiredAgain(i)) continue;
            bool isExpected = block.timestamp < _retired[i].since + GRACE;
            if (parameters.isAcceptable(_retired[i].hash) != isExpected) violations["G-6"] += 1;
        }
    }

    function isRetiredAgain(uint256 i) private view returns (bool) {
        for (uint256 j = i + 1; j < _retired.length; ++j) {
            if (_retired[j].hash == _retired[i].hash) return true;
        }
        return false;
    }

    function settle(Outflow storage o) private {
        if (o.raisedAt == 0 || block.timestamp < o.raisedAt) return;
        (o.floor, o.share, o.raisedAt) = (o.raisedFloor, o.raisedShare, 0);
    }

    function terms() internal view returns (Terms memory) {
        return _terms;
    }

    function hash() private view returns (bytes32) {
        Terms memory t = _terms;
        bytes32 termsHash = keccak256(abi.encode(t));
        return keccak256(abi.encode(termsHash, bytes32("curves"), bytes32("listing"), _document));
    }
}
