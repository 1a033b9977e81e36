// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Terms} from "../types/Liquidation.sol";
import {ONE_E6} from "../types/Units.sol";

/// @title RiskParameters
contract RiskParameters is IRiskParameters, AccessControl {
    /// @notice May adopt parameter sets.
    bytes32 public constant RISK_ROLE = keccak256("RISK_ROLE");

    uint32 private constant PARTIAL_CAP_MIN_E6 = 250_000;
    uint32 private constant PARTIAL_CAP_MAX_E6 = 500_000;

    /// @inheritdoc IRiskParameters
    bytes32 public paramsHash;

    /// @inheritdoc IRiskParameters
    bytes32 public documentHash;

    /// @inheritdoc IRiskParameters
    uint64 public version;

    mapping(bytes32 paramsHash => Terms) private _termsOf;
    mapping(bytes32 paramsHash => bytes32) private _curvesHashOf;

    /// @param admin Grants and revokes roles.
    /// @param riskSetter Holds the risk role.
    constructor(
        address admin,
        address riskSetter,
        Terms memory terms_,
        bytes32 curvesHash_,
        bytes32 documentHash_
    ) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(RISK_ROLE, riskSetter);
        _adopt(terms_, curvesHash_, documentHash_);
    }

    /// @inheritdoc IRiskParameters
    function adopt(Terms calldata terms_, bytes32 curvesHash_, bytes32 documentHash_)
        external
        onlyRole(RISK_ROLE)
    {
        _adopt(terms_, curvesHash_, documentHash_);
    }

    /// @inheritdoc IRiskParameters
    function terms() external view returns (Terms memory) {
        return _termsOf[paramsHash];
    }

    /// @inheritdoc IRiskParameters
    function termsOf(bytes32 paramsHash_) external view returns (Terms memory adopted) {
        adopted = _termsOf[paramsHash_];
        // No valid set has a factor of zero, so zero means that there is none.
        require(adopted.mmFactorE6 != 0, UnknownParameters(paramsHash_));
    }

    /// @inheritdoc IRiskParameters
    function curvesHashOf(bytes32 paramsHash_) external view returns (bytes32 adopted) {
        adopted = _curvesHashOf[paramsHash_];
        require(adopted != 0, UnknownParameters(paramsHash_));
    }

    function _adopt(Terms memory terms_, bytes32 curvesHash_, bytes32 documentHash_) private {
        _check(terms_);
        require(curvesHash_ != 0, NoCurves());
        require(documentHash_ != 0, NoDocument());

        bytes32 hash = LeafHash.parameters(terms_, curvesHash_, documentHash_);
        _termsOf[hash] = terms_;
        _curvesHashOf[hash] = curvesHash_;
        paramsHash = hash;
        documentHash = documentHash_;
        version += 1;

        emit ParametersAdopted(version, hash, curvesHash_, documentHash_, terms_);
    }

    /// @dev The relations of `offchain.core.parameters` that the contracts can see.
    function _check(Terms memory t) private pure {
        require(t.mmFactorE6 > 0 && t.mmFactorE6 <= ONE_E6, MmFactorOutOfRange(t.mmFactorE6));
        require(
            t.fullTriggerE6 > 0 && t.fullTriggerE6 <= t.partialTriggerE6,
            TriggersOutOfOrder(t.partialTriggerE6, t.fullTriggerE6)
        );
        require(
            t.partialCapE6 >= PARTIAL_CAP_MIN_E6 && t.partialCapE6 <= PARTIAL_CAP_MAX_E6,
            PartialCapOutOfRange(t.partialCapE6)
        );
        require(t.offsetE6 <= ONE_E6, OffsetOutOfRange(t.offsetE6));
        require(t.breakdownE6 > 0 && t.breakdownE6 <= ONE_E6, BreakdownOutOfRange(t.breakdownE6));
    }
}
