// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Terms} from "../types/Liquidation.sol";
import {ONE_E6} from "../types/Units.sol";

/// @title RiskParameters
/// @dev The governor is fixed and no role can be granted: nobody can put another adopter beside the
/// timelock.
contract RiskParameters is IRiskParameters {
    /// @dev What a hash stands for. A set without a document does not exist.
    struct ParameterSet {
        Terms terms;
        bytes32 curvesHash;
        bytes32 listingRoot;
        bytes32 documentHash;
    }

    uint32 private constant PARTIAL_CAP_MIN_E6 = 250_000;
    uint32 private constant PARTIAL_CAP_MAX_E6 = 500_000;
    uint32 private constant STEP_MAX_E6 = 500_000;

    uint256 private constant TERMS = 8;

    /// @dev Places in `Terms` of those that tighten downwards, and of the one that stays.
    uint256 private constant OFFSET = 4;
    uint256 private constant KEEPER_FEE = 6;
    uint256 private constant OFFSET_CAP = 7;

    /// @inheritdoc IRiskParameters
    address public immutable governor;

    /// @notice The most by which one term may move in one tightening. [1e-6 of the term]
    uint32 public immutable maxStepE6;

    /// @notice Between two tightenings of one term, at least. [s]
    uint64 public immutable stepPeriod;

    /// @notice For which a set that was replaced may still stand in a header. [s]
    uint64 public immutable grace;

    /// @inheritdoc IRiskParameters
    address public riskSetter;

    /// @inheritdoc IRiskParameters
    uint64 public version;

    /// @inheritdoc IRiskParameters
    bytes32 public paramsHash;

    /// @inheritdoc IRiskParameters
    mapping(bytes32 paramsHash => uint64) public acceptedUntil;

    mapping(bytes32 paramsHash => ParameterSet) private _setOf;

    /// @dev When each term may be tightened again. [s since 1970]
    uint64[TERMS] private _allowedAt;

    modifier onlyGovernor() {
        _checkGovernor();
        _;
    }

    /// @param terms Of the first set, as are the three hashes.
    constructor(
        Config memory config,
        Terms memory terms,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash
    ) {
        require(config.governor != address(0), ZeroAddress());
        require(
            config.maxStepE6 > 0 && config.maxStepE6 <= STEP_MAX_E6 && config.stepPeriod > 0,
            StepOutOfRange(config.maxStepE6, config.stepPeriod)
        );
        governor = config.governor;
        maxStepE6 = config.maxStepE6;
        stepPeriod = config.stepPeriod;
        grace = config.grace;
        _nameRiskSetter(config.riskSetter);
        _adopt(ParameterSet(terms, curvesHash, listingRoot, documentHash));
    }

    /// @inheritdoc IRiskParameters
    function adopt(
        Terms calldata terms,
        bytes32 curvesHash,
        bytes32 listingRoot,
        bytes32 documentHash
    ) external onlyGovernor {
        _adopt(ParameterSet(terms, curvesHash, listingRoot, documentHash));
    }

    /// @inheritdoc IRiskParameters
    function tighten(Terms calldata terms) external {
        require(msg.sender == riskSetter, NotRiskSetter(msg.sender));
        ParameterSet memory set = _setOf[paramsHash];
        uint256[TERMS] memory current = _values(set.terms);
        uint256[TERMS] memory proposed = _values(terms);
        for (uint256 term = 0; term < TERMS; ++term) {
            if (proposed[term] != current[term]) _step(term, current[term], proposed[term]);
        }
        _checkTriggers(set.terms, terms);
        set.terms = terms;
        _adopt(set);
    }

    /// @inheritdoc IRiskParameters
    function setRiskSetter(address riskSetter_) external onlyGovernor {
        _nameRiskSetter(riskSetter_);
    }

    /// @inheritdoc IRiskParameters
    function isAcceptable(bytes32 paramsHash_) external view returns (bool) {
        // A validator can move it by seconds, of a grace of minutes.
        // forge-lint: disable-next-line(block-timestamp)
        return paramsHash_ == paramsHash || block.timestamp < acceptedUntil[paramsHash_];
    }

    /// @inheritdoc IRiskParameters
    function termsOf(bytes32 paramsHash_) external view returns (Terms memory) {
        return _adopted(paramsHash_).terms;
    }

    /// @inheritdoc IRiskParameters
    function curvesHashOf(bytes32 paramsHash_) external view returns (bytes32) {
        return _adopted(paramsHash_).curvesHash;
    }

    /// @inheritdoc IRiskParameters
    function listingRootOf(bytes32 paramsHash_) external view returns (bytes32) {
        return _adopted(paramsHash_).listingRoot;
    }

    /// @inheritdoc IRiskParameters
    function documentHashOf(bytes32 paramsHash_) external view returns (bytes32) {
        return _adopted(paramsHash_).documentHash;
    }

    function _adopted(bytes32 paramsHash_) private view returns (ParameterSet storage set) {
        set = _setOf[paramsHash_];
        require(set.documentHash != 0, UnknownParameters(paramsHash_));
    }

    function _adopt(ParameterSet memory set) private {
        _check(set.terms);
        require(set.curvesHash != 0, NoCurves());
        require(set.listingRoot != 0, NoListing());
        require(set.documentHash != 0, NoDocument());

        bytes32 hash =
            LeafHash.parameters(set.terms, set.curvesHash, set.listingRoot, set.documentHash);
        bytes32 previous = paramsHash;
        require(hash != previous, NoChange());
        if (previous != 0) acceptedUntil[previous] = uint64(block.timestamp) + grace;
        _setOf[hash] = set;
        paramsHash = hash;
        version += 1;

        emit ParametersAdopted(
            version, hash, set.curvesHash, set.listingRoot, set.documentHash, set.terms
        );
    }

    function _nameRiskSetter(address riskSetter_) private {
        riskSetter = riskSetter_;
        emit RiskSetterNamed(riskSetter_);
    }

    /// @dev One term, in the direction that protects the venue, once in a period.
    function _step(uint256 term, uint256 current, uint256 proposed) private {
        bool isUpwards = term != OFFSET && term != OFFSET_CAP;
        require(
            term != KEEPER_FEE && (proposed > current) == isUpwards,
            Loosens(term, current, proposed)
        );
        uint256 moved = isUpwards ? proposed - current : current - proposed;
        require(moved * ONE_E6 <= current * maxStepE6, StepTooLarge(term, current, proposed));
        // A validator can move it by seconds, of a period of hours.
        // forge-lint: disable-next-line(block-timestamp)
        bool isTime = block.timestamp >= _allowedAt[term];
        require(isTime, StepTooSoon(term, _allowedAt[term], block.timestamp));
        _allowedAt[term] = uint64(block.timestamp) + stepPeriod;
    }

    function _checkGovernor() private view {
        require(msg.sender == governor, NotGovernor(msg.sender));
    }

    /// @dev An account is below the trigger when balance < trigger x maintenance margin, and
    /// maintenance margin is at most factor x initial margin. A set that the governor adopted
    /// beyond that may stay there, no further.
    function _checkTriggers(Terms memory current, Terms memory proposed) private pure {
        uint256 product = uint256(proposed.partialTriggerE6) * proposed.mmFactorE6;
        require(
            product <= ONE_E6 * ONE_E6
                || product <= uint256(current.partialTriggerE6) * current.mmFactorE6,
            TriggerAboveInitialMargin(proposed.partialTriggerE6, proposed.mmFactorE6)
        );
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

    /// @dev In the order of `Terms`.
    function _values(Terms memory t) private pure returns (uint256[TERMS] memory) {
        return [
            uint256(t.mmFactorE6),
            t.partialTriggerE6,
            t.fullTriggerE6,
            t.partialCapE6,
            t.offsetE6,
            t.breakdownE6,
            t.keeperFeeE6,
            t.offsetCapUsd
        ];
    }
}
