// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVaultLimits} from "./IVaultLimits.sol";

/// @title IGovernedLimits
/// @notice How the limits of the vault are set: the governor's, behind a timelock, and for some
/// days the guardian's, who only tightens.
/// @dev G-1, G-3, G-5, C-5. Amounts in the engine's units.
interface IGovernedLimits is IVaultLimits {
    /// @notice Everything that is fixed at deployment.
    /// @param governor Sets caps and limits; a timelock.
    /// @param guardian Restricts, for a time.
    /// @param capRamp In which a raised deposit cap reaches its target; zero for at once, which is
    /// for development. [s]
    /// @param raiseDelay For which a raise of the outflow waits after the timelock has acted. [s]
    /// @param outflowWindow In which the outflow is capped. [s]
    /// @param cashFloor The outflow cap is no less than this for asset 0, until set otherwise..
    /// @param tokenFloor ..and this for every other asset..
    /// @param shareE6 ..and this share of what was held. [1e-6]
    struct Settings {
        address governor;
        address guardian;
        uint64 capRamp;
        uint64 raiseDelay;
        uint64 outflowWindow;
        uint96 cashFloor;
        uint96 tokenFloor;
        uint32 shareE6;
    }

    /// @notice Of one asset: at most the larger of the floor and the share of what was held leaves
    /// in a window.
    struct OutflowLimit {
        uint96 floor;
        uint32 shareE6;
    }

    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice A window or a delay of nothing. [s]
    error PeriodOutOfRange(uint64 raiseDelay, uint64 outflowWindow);
    /// @notice Only the governor sets caps and limits.
    error NotGovernor(address caller);
    /// @notice Only the guardian restricts.
    error NotGuardian(address caller);
    /// @notice The floor must not be zero and the share lie in [5 %, 100 %], or funds could not
    /// leave.
    error OutflowOutOfRange(uint96 floor, uint32 shareE6);
    /// @notice The guardian leaves at least a quarter of the outflow, and takes something off it.
    error RestrictionOutOfRange(uint256 shareE6);
    /// @notice The restriction would be over already, or last too long. [s since 1970]
    error RestrictionTimes(uint64 until, uint256 latest);
    /// @notice A restriction in force may only grow tighter and longer.
    error RestrictionLoosens(
        uint128 limit, uint128 currentLimit, uint64 until, uint64 currentUntil
    );
    /// @notice The last restriction of the kind ended less than a rest ago. [s since 1970]
    error RestrictionRests(uint256 allowedAt, uint256 time);

    /// @param from What the cap was when it began to move.
    event DepositCapSet(uint8 indexed asset, uint256 from, uint256 target, uint256 reachedAt);
    event OutflowLimitSet(uint8 indexed asset, uint96 floor, uint32 shareE6, uint256 effectiveAt);
    event DepositsPaused(uint64 until);
    event DepositCapLowered(uint8 indexed asset, uint128 cap, uint64 until);
    /// @param shareE6 Of what may leave otherwise. [1e-6]
    event OutflowCapLowered(uint8 indexed asset, uint32 shareE6, uint64 until);

    /// @notice Moves the deposit cap of an asset: down at once, up along a line. Only the governor.
    function setDepositCap(uint8 asset, uint96 target) external;

    /// @notice Sets the outflow limit of an asset: down at once, up after another delay. Replaces a
    /// raise that still waits. Only the governor.
    /// @param shareE6 Of what the vault held when the window began. [1e-6]
    function setOutflowLimit(uint8 asset, uint96 floor, uint32 shareE6) external;

    /// @notice Stops deposits until then. Only the guardian, for at most 72 hours.
    /// @dev Each kind of restriction ends by itself, and may begin anew after a rest of 72 hours.
    /// @param until [s since 1970]
    function pauseDeposits(uint64 until) external;

    /// @notice Puts a lower deposit cap above the governor's until then. Only the guardian, for at
    /// most 72 hours.
    function lowerDepositCap(uint8 asset, uint128 cap, uint64 until) external;

    /// @notice Lets only a share of the outflow cap leave until then. Only the guardian, for at
    /// most 72 hours.
    /// @param shareE6 At least 25 %, so that nobody can stop withdrawals. [1e-6]
    function lowerOutflowCap(uint8 asset, uint32 shareE6, uint64 until) external;

    /// @notice The outflow limit in force, without what the guardian takes off it.
    function outflowLimit(uint8 asset) external view returns (OutflowLimit memory);

    /// @notice The raise that waits, and when it counts; zero if none does. [s since 1970]
    function pendingOutflow(uint8 asset)
        external
        view
        returns (OutflowLimit memory raised, uint64 effectiveAt);
}
