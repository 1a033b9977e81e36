// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernedLimits} from "../interfaces/IGovernedLimits.sol";
import {IVaultLimits} from "../interfaces/IVaultLimits.sol";
import {ONE_E6} from "../types/Units.sol";

/// @title VaultLimits
/// @dev Governor and guardian are fixed, and the vault only reads: whatever is set here, the vault
/// lets out no more than its cap, and never nothing.
contract VaultLimits is IGovernedLimits {
    /// @notice How long the guardian may restrict, and how long he then rests. [s]
    uint64 public constant MAX_RESTRICTION = 72 hours;

    /// @dev Shares below these would stop withdrawals. [1e-6]
    uint32 private constant MIN_SHARE_E6 = 50_000;
    uint32 private constant MIN_RESTRICTION_E6 = 250_000;

    /// @dev A line from one cap to the next; one storage slot.
    struct Ramp {
        uint96 from;
        uint96 to;
        uint64 startedAt;
    }

    /// @dev A limit that waits, in one storage slot; none while `effectiveAt` is zero.
    struct Raise {
        uint96 floor;
        uint32 shareE6;
        uint64 effectiveAt; // [s since 1970]
    }

    /// @dev What the guardian did; one storage slot. [s since 1970]
    struct Restriction {
        uint64 since;
        uint64 until;
        uint128 limit;
    }

    /// @notice Sets caps and limits.
    address public immutable governor;

    /// @notice Restricts, for a time.
    address public immutable guardian;

    /// @notice In which a raised deposit cap reaches its target. [s]
    uint64 public immutable capRamp;

    /// @notice For which a raise of the outflow waits after the timelock has acted. [s]
    uint64 public immutable raiseDelay;

    /// @inheritdoc IVaultLimits
    uint64 public immutable outflowWindow;

    uint96 private immutable _cashFloor;
    uint96 private immutable _tokenFloor;
    uint32 private immutable _shareE6;

    mapping(uint8 asset => Ramp) private _capOf;
    mapping(uint8 asset => OutflowLimit) private _outflowOf;
    mapping(uint8 asset => Raise) private _raiseOf;

    Restriction private _pause;
    mapping(uint8 asset => Restriction) private _loweredCapOf;
    mapping(uint8 asset => Restriction) private _loweredOutflowOf;

    modifier onlyGovernor() {
        _checkGovernor();
        _;
    }

    modifier onlyGuardian() {
        _checkGuardian();
        _;
    }

    /// @param targets Deposit caps of the assets 0, 1, ..; they begin at zero and ramp like any
    /// other. An asset beyond them stays at zero until the governor sets its cap.
    constructor(Settings memory settings, uint96[] memory targets) {
        require(settings.governor != address(0) && settings.guardian != address(0), ZeroAddress());
        require(
            settings.raiseDelay > 0 && settings.outflowWindow > 0,
            PeriodOutOfRange(settings.raiseDelay, settings.outflowWindow)
        );
        _checkOutflow(settings.cashFloor, settings.shareE6);
        _checkOutflow(settings.tokenFloor, settings.shareE6);
        governor = settings.governor;
        guardian = settings.guardian;
        capRamp = settings.capRamp;
        raiseDelay = settings.raiseDelay;
        outflowWindow = settings.outflowWindow;
        _cashFloor = settings.cashFloor;
        _tokenFloor = settings.tokenFloor;
        _shareE6 = settings.shareE6;
        for (uint8 asset = 0; asset < targets.length; ++asset) {
            _moveCap(asset, 0, targets[asset]);
        }
    }

    /// @inheritdoc IGovernedLimits
    function setDepositCap(uint8 asset, uint96 target) external onlyGovernor {
        _moveCap(asset, _governedCap(asset), target);
    }

    /// @inheritdoc IGovernedLimits
    function setOutflowLimit(uint8 asset, uint96 floor, uint32 shareE6) external onlyGovernor {
        _checkOutflow(floor, shareE6);
        OutflowLimit memory current = outflowLimit(asset);
        uint64 effectiveAt = uint64(block.timestamp);
        if (floor <= current.floor && shareE6 <= current.shareE6) {
            _outflowOf[asset] = OutflowLimit(floor, shareE6);
            delete _raiseOf[asset];
        } else {
            effectiveAt += raiseDelay;
            _outflowOf[asset] = current;
            _raiseOf[asset] = Raise(floor, shareE6, effectiveAt);
        }
        emit OutflowLimitSet(asset, floor, shareE6, effectiveAt);
    }

    /// @inheritdoc IGovernedLimits
    function pauseDeposits(uint64 until) external onlyGuardian {
        _restrict(_pause, 0, until);
        emit DepositsPaused(until);
    }

    /// @inheritdoc IGovernedLimits
    function lowerDepositCap(uint8 asset, uint128 cap, uint64 until) external onlyGuardian {
        _restrict(_loweredCapOf[asset], cap, until);
        emit DepositCapLowered(asset, cap, until);
    }

    /// @inheritdoc IGovernedLimits
    function lowerOutflowCap(uint8 asset, uint32 shareE6, uint64 until) external onlyGuardian {
        require(shareE6 >= MIN_RESTRICTION_E6 && shareE6 < ONE_E6, RestrictionOutOfRange(shareE6));
        _restrict(_loweredOutflowOf[asset], shareE6, until);
        emit OutflowCapLowered(asset, shareE6, until);
    }

    /// @inheritdoc IVaultLimits
    function areDepositsPaused() external view returns (bool) {
        return _isActive(_pause);
    }

    /// @inheritdoc IVaultLimits
    function depositCap(uint8 asset) external view returns (uint256 cap) {
        cap = _governedCap(asset);
        Restriction memory lowered = _loweredCapOf[asset];
        if (_isActive(lowered) && lowered.limit < cap) cap = lowered.limit;
    }

    /// @inheritdoc IVaultLimits
    /// @dev The share of what was held is rounded down, the part that the guardian leaves up, so
    /// that the cap is never zero.
    function outflowCap(uint8 asset, uint256 held) external view returns (uint256 cap) {
        OutflowLimit memory limit = outflowLimit(asset);
        cap = held * limit.shareE6 / ONE_E6;
        if (cap < limit.floor) cap = limit.floor;
        Restriction memory lowered = _loweredOutflowOf[asset];
        if (_isActive(lowered)) cap = (cap * lowered.limit + ONE_E6 - 1) / ONE_E6;
    }

    /// @inheritdoc IGovernedLimits
    function pendingOutflow(uint8 asset)
        external
        view
        returns (OutflowLimit memory raised, uint64 effectiveAt)
    {
        Raise memory raise = _raiseOf[asset];
        if (_isPast(raise.effectiveAt)) return (raised, 0);
        return (OutflowLimit(raise.floor, raise.shareE6), raise.effectiveAt);
    }

    /// @inheritdoc IGovernedLimits
    function outflowLimit(uint8 asset) public view returns (OutflowLimit memory limit) {
        Raise memory raise = _raiseOf[asset];
        if (raise.effectiveAt != 0 && _isPast(raise.effectiveAt)) {
            return OutflowLimit(raise.floor, raise.shareE6);
        }
        limit = _outflowOf[asset];
        // No limit has a share of zero, so zero means that none was set.
        if (limit.shareE6 == 0) {
            limit = OutflowLimit(asset == 0 ? _cashFloor : _tokenFloor, _shareE6);
        }
    }

    /// @dev A target below the cap is reached at once.
    function _moveCap(uint8 asset, uint96 from, uint96 target) private {
        uint256 reachedAt = block.timestamp;
        if (target > from) reachedAt += capRamp;
        else from = target;
        _capOf[asset] = Ramp(from, target, uint64(block.timestamp));
        emit DepositCapSet(asset, from, target, reachedAt);
    }

    function _restrict(Restriction storage restriction, uint128 limit, uint64 until) private {
        Restriction memory current = restriction;
        uint64 time = uint64(block.timestamp);
        if (_isActive(current)) {
            require(
                limit <= current.limit && until >= current.until,
                RestrictionLoosens(limit, current.limit, until, current.until)
            );
        } else {
            uint256 allowedAt = current.until == 0 ? 0 : uint256(current.until) + MAX_RESTRICTION;
            require(time >= allowedAt, RestrictionRests(allowedAt, time));
            current.since = time;
        }
        uint256 latest = uint256(current.since) + MAX_RESTRICTION;
        require(until > time && until <= latest, RestrictionTimes(until, latest));
        (restriction.since, restriction.until, restriction.limit) = (current.since, until, limit);
    }

    function _checkGovernor() private view {
        require(msg.sender == governor, NotGovernor(msg.sender));
    }

    function _checkGuardian() private view {
        require(msg.sender == guardian, NotGuardian(msg.sender));
    }

    /// @dev The governor's cap, on its way to the target; rounded down.
    function _governedCap(uint8 asset) private view returns (uint96) {
        Ramp memory ramp = _capOf[asset];
        uint256 elapsed = block.timestamp - ramp.startedAt;
        // It only grows, by seconds of a ramp of days.
        // forge-lint: disable-next-line(block-timestamp)
        if (elapsed >= capRamp) return ramp.to;
        // At most `to`, since elapsed < capRamp.
        // forge-lint: disable-next-line(unsafe-typecast)
        return ramp.from + uint96(uint256(ramp.to - ramp.from) * elapsed / capRamp);
    }

    function _isActive(Restriction memory restriction) private view returns (bool) {
        return !_isPast(restriction.until);
    }

    function _isPast(uint64 time) private view returns (bool) {
        // A validator can move it by seconds, of delays of hours.
        // forge-lint: disable-next-line(block-timestamp)
        return block.timestamp >= time;
    }

    function _checkOutflow(uint96 floor, uint32 shareE6) private pure {
        require(
            floor > 0 && shareE6 >= MIN_SHARE_E6 && shareE6 <= ONE_E6,
            OutflowOutOfRange(floor, shareE6)
        );
    }
}
