// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPyth} from "../interfaces/IPyth.sol";
import {IReferenceSource} from "../interfaces/IReferenceSource.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {ONE_E6} from "../types/Units.sol";
import {ReferenceSource} from "./ReferenceSource.sol";

/// @title PythSource
/// @notice Reads one feed of a contract in the shape of Pyth's.
contract PythSource is ReferenceSource {
    IPyth public immutable pyth;
    bytes32 public immutable id;

    /// @notice The most that the source may doubt its price. [1e-6 of the price]
    uint256 public immutable maxConfidenceE6;

    /// @param maxAge_ Of the publication. [s]
    constructor(IPyth pyth_, bytes32 id_, uint256 maxAge_, uint256 maxConfidenceE6_)
        ReferenceSource(maxAge_)
    {
        (pyth, id, maxConfidenceE6) = (pyth_, id_, maxConfidenceE6_);
    }

    /// @inheritdoc IReferenceSource
    function read() external view returns (int64 priceE8, uint256 age) {
        IPyth.Price memory found = pyth.getPriceUnsafe(id);
        age = _age(found.publishTime);
        priceE8 = _normalised(found.price, -int256(found.expo));
        // forge-lint: disable-next-line(unsafe-typecast): it is positive.
        uint256 confidenceE6 = Rounding.mulDivCeil(found.conf, ONE_E6, uint64(found.price));
        require(confidenceE6 <= maxConfidenceE6, SourceUncertain(confidenceE6, maxConfidenceE6));
    }
}
