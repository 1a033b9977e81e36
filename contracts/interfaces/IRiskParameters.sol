// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../types/Liquidation.sol";

/// @title IRiskParameters
/// @notice The versions of the parameter set, as far as contracts need them.
interface IRiskParameters {
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

    /// @notice A set is nothing without the document that states it.
    error NoDocument();

    /// @notice No adopted set has this hash.
    error UnknownParameters(bytes32 paramsHash);

    /// @param version Counts the adopted sets from 1.
    event ParametersAdopted(
        uint64 indexed version,
        bytes32 indexed paramsHash,
        bytes32 curvesHash,
        bytes32 documentHash,
        Terms terms
    );

    /// @notice Makes a set the current one. Only the risk role.
    /// @param curvesHash_ keccak256 of the packed tier curves of the set.
    /// @param documentHash_ keccak256 of the canonical JSON of the whole set.
    function adopt(Terms calldata terms_, bytes32 curvesHash_, bytes32 documentHash_) external;

    /// @notice Hash of the current set, as batch headers carry it.
    function paramsHash() external view returns (bytes32);

    /// @notice Terms of the current set.
    function terms() external view returns (Terms memory);

    /// @notice Terms of any adopted set: batches already open stay verifiable after a change.
    function termsOf(bytes32 paramsHash_) external view returns (Terms memory);

    /// @notice keccak256 of the packed tier curves of any adopted set.
    function curvesHashOf(bytes32 paramsHash_) external view returns (bytes32);

    /// @notice keccak256 of the canonical JSON of the current set.
    function documentHash() external view returns (bytes32);

    /// @notice Number of the current set, from 1.
    function version() external view returns (uint64);
}
