// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskParameters} from "../../../../contracts/interfaces/IRiskParameters.sol";
import {RiskParameters} from "../../../../contracts/risk/RiskParameters.sol";
import {Terms} from "../../../../contracts/types/Liquidation.sol";

/// @dev The parameters with one thing wrong; everything else goes to the real ones, which this
/// governs.
contract PlantedParameters {
    enum Bug {
        TIGHTENS_ANYTHING,
        HASH_WITHOUT_TERMS,
        OLD_SETS_FOR_EVER
    }

    Bug private immutable _bug;
    address private immutable _governor;
    address private immutable _riskSetter;
    RiskParameters private immutable _real;

    constructor(Bug bug, IRiskParameters.Config memory config, Terms memory terms) {
        (_bug, _governor, _riskSetter) = (bug, config.governor, config.riskSetter);
        (config.governor, config.riskSetter) = (address(this), address(this));
        _real = new RiskParameters(config, terms, "curves", "listing", "document");
    }

    function adopt(Terms calldata terms, bytes32 curves, bytes32 listing, bytes32 document)
        external
    {
        require(msg.sender == _governor);
        _real.adopt(terms, curves, listing, document);
    }

    /// @dev The bug: neither direction nor step nor period.
    function tighten(Terms calldata terms) external {
        require(msg.sender == _riskSetter);
        if (_bug != Bug.TIGHTENS_ANYTHING) return _real.tighten(terms);
        bytes32 hash = _real.paramsHash();
        _real.adopt(
            terms, _real.curvesHashOf(hash), _real.listingRootOf(hash), _real.documentHashOf(hash)
        );
    }

    function paramsHash() external view returns (bytes32) {
        bytes32 hash = _real.paramsHash();
        return _bug == Bug.HASH_WITHOUT_TERMS ? _real.documentHashOf(hash) : hash;
    }

    function isAcceptable(bytes32 hash) external view returns (bool) {
        if (_bug == Bug.OLD_SETS_FOR_EVER && _real.acceptedUntil(hash) != 0) return true;
        return _real.isAcceptable(hash);
    }
}
