// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../types/Liquidation.sol";

/// @title IRiskParameters
/// @notice The versions of the parameter set, as far as contracts need them.
/// @dev G-1, G-2, G-6. Loosening is the governor's, which is a timelock; tightening is the risk
/// setter's, at once, in bounded steps.
interface IRiskParameters {
    /// @notice Everything that is fixed at deployment.
    /// @param governor Adopts any set that keeps the relations; a timelock.
    /// @param riskSetter Tightens the terms of the current set; the governor may name another.
    /// @param maxStepE6 The most by which one term may move in one tightening. [1e-6 of the term]
    /// @param stepPeriod Between two tightenings of one term, at least. [s]
    /// @param grace For which a set that was replaced may still stand in a header. [s]
    struct Config {
        address governor;
        address riskSetter;
        uint32 maxStepE6;
        uint64 stepPeriod;
        uint64 grace;
    }

    /// @notice The factor must lie in (0, 1], so that initial margin covers maintenance margin.
    error MmFactorOutOfRange(uint32 mmFactorE6);

    /// @notice 0 < full trigger <= partial trigger must hold.
    error TriggersOutOfOrder(uint32 partialTriggerE6, uint32 fullTriggerE6);

    /// @notice The cap must lie in [25 %, 50 %].
    error PartialCapOutOfRange(uint32 partialCapE6);

    /// @notice At most the whole of a gain pays for a loss.
    error OffsetOutOfRange(uint32 offsetE6);

    /// @notice The share of the worst losses that is required at least must lie in (0, 1].
    error BreakdownOutOfRange(uint32 breakdownE6);

    /// @notice A set without tier curves would charge nothing.
    error NoCurves();

    /// @notice A set that lists nothing could not be traded.
    error NoListing();

    /// @notice A set is nothing without the document that states it.
    error NoDocument();

    /// @notice No adopted set has this hash.
    error UnknownParameters(bytes32 paramsHash);

    /// @notice An address that must be given is missing.
    error ZeroAddress();

    /// @notice The step must lie in (0, 50 %], and its period must not be zero.
    error StepOutOfRange(uint32 maxStepE6, uint64 stepPeriod);

    /// @notice Only the governor adopts sets and names the risk setter.
    error NotGovernor(address caller);

    /// @notice Only the risk setter tightens.
    error NotRiskSetter(address caller);

    /// @notice The term would move the other way, or may not be moved by a tightening at all.
    /// @param term Place of the term in `Terms`, from 0.
    error Loosens(uint256 term, uint256 current, uint256 proposed);

    /// @notice The term would move by more than the share of it that one step allows.
    error StepTooLarge(uint256 term, uint256 current, uint256 proposed);

    /// @notice The term was tightened less than a period ago. [s since 1970]
    error StepTooSoon(uint256 term, uint256 allowedAt, uint256 time);

    /// @notice The triggers would liquidate accounts that meet their initial margin, which is
    /// maintenance margin over the factor.
    error TriggerAboveInitialMargin(uint32 partialTriggerE6, uint32 mmFactorE6);

    /// @notice Nothing would change.
    error NoChange();

    /// @param version Counts the adopted sets from 1, tightenings included.
    event ParametersAdopted(
        uint64 indexed version,
        bytes32 indexed paramsHash,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash,
        Terms terms
    );

    event RiskSetterNamed(address indexed riskSetter);

    /// @notice Makes a set the current one, looser or tighter. Only the governor.
    /// @param curvesHash keccak256 of the packed tier curves of the set.
    /// @param listingRoot Root of the list of oracle, instruments and assets of the set.
    /// @param documentHash keccak256 of the canonical JSON of the whole set.
    function adopt(
        Terms calldata terms,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash
    ) external;

    /// @notice Makes the current set with tighter terms the current one. Only the risk setter.
    /// @dev Curves, listing and document stay, since no contract can tell whether others are
    /// tighter: these terms then stand above those of the document. A term moves by at most
    /// `maxStepE6` of itself and at most once in `stepPeriod`. Tighter is: more maintenance margin,
    /// higher triggers, a larger partial step, less offset, a higher breakdown, a lower offset cap.
    /// The fee of the keepers stays: it is paid out of the insurance fund.
    function tighten(Terms calldata terms) external;

    /// @notice Names another risk setter; zero for none. Only the governor.
    function setRiskSetter(address riskSetter_) external;

    /// @notice Hash of the current set, as batch headers carry it.
    function paramsHash() external view returns (bytes32);

    /// @notice Whether a header may carry this hash now: the current set, or one that was replaced
    /// less than the grace ago.
    function isAcceptable(bytes32 paramsHash_) external view returns (bool);

    /// @notice Until when a set that was replaced may stand in a header; zero if never replaced. [s
    /// since 1970, exclusive]
    function acceptedUntil(bytes32 paramsHash_) external view returns (uint64);

    /// @notice Terms of any adopted set: batches already open stay verifiable after a change.
    function termsOf(bytes32 paramsHash_) external view returns (Terms memory);

    /// @notice keccak256 of the packed tier curves of any adopted set.
    function curvesHashOf(bytes32 paramsHash_) external view returns (bytes32);

    /// @notice Root of the list of oracle, instruments and assets of any adopted set.
    function listingRootOf(bytes32 paramsHash_) external view returns (bytes32);

    /// @notice keccak256 of the canonical JSON of any adopted set.
    function documentHashOf(bytes32 paramsHash_) external view returns (bytes32);

    /// @notice Number of the current set, from 1.
    function version() external view returns (uint64);

    /// @notice The address that adopts sets; for ever.
    function governor() external view returns (address);

    /// @notice The address that tightens; zero for none.
    function riskSetter() external view returns (address);
}
