// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskCells} from "../interfaces/IRiskCells.sol";
import {Normal} from "../libraries/Normal.sol";
import {Quotes} from "../libraries/Quotes.sol";
import {RiskCell} from "../libraries/RiskCell.sol";
import {FeedPlaces, Instrument, Observation, Quote, Scan} from "../types/Pricing.sol";

/// @title RiskCells
contract RiskCells is IRiskCells {
    /// @inheritdoc IRiskCells
    address public immutable normalTable;

    /// @param normalTable_ A `NormalTable`; any other code is refused.
    constructor(address normalTable_) {
        Normal.check(normalTable_);
        normalTable = normalTable_;
    }

    /// @inheritdoc IRiskCells
    function loss(
        Observation calldata observation,
        FeedPlaces calldata places,
        Scan calldata scan,
        Instrument calldata instrument,
        uint8 scenario
    ) external view returns (int256 lossE6) {
        return RiskCell.loss(
            scan, instrument, _quote(observation, places, instrument), scenario, normalTable
        );
    }

    /// @inheritdoc IRiskCells
    function lotValue(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 markE8, int256 valueE6) {
        return RiskCell.lotValue(instrument, _quote(observation, places, instrument), normalTable);
    }

    /// @inheritdoc IRiskCells
    function delta(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 deltaE6) {
        return RiskCell.delta(instrument, _quote(observation, places, instrument), normalTable);
    }

    /// @inheritdoc IRiskCells
    function vega(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 vegaE6) {
        return RiskCell.vega(instrument, _quote(observation, places, instrument), normalTable);
    }

    function _quote(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) private pure returns (Quote memory) {
        Quotes.check(instrument);
        return Quotes.quoteOf(observation.medians, places, instrument, observation.observedAt);
    }
}
