// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Column, InstrumentOpening} from "../types/ContentEvidence.sol";
import {Epoch, Report} from "../types/Epoch.sol";
import {SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {Columns} from "./Columns.sol";
import {Effects} from "./Effects.sol";
import {Openings} from "./Openings.sol";
import {Prices} from "./Prices.sol";

/// @title Marks
/// @notice Marks, funding and limits of one instrument in an epoch that is opened.
/// @dev The epoch itself and the instrument were proven before.
library Marks {
    /// @notice What is opened for the limit of a liquidation.
    struct Opened {
        int256 markE8;
        int256 fundingE6;
        int256 indexE8;
    }

    /// @notice Cumulative funding of one long lot. [USD e-6]
    function fundingOf(Epoch calldata epoch, uint16 instrument, Column calldata funding)
        internal
        pure
        returns (int256)
    {
        Openings.requireFunding(epoch, underlyingOf(instrument), funding);
        return Columns.valueAt(funding.packed, instrument & SLOT_MASK);
    }

    /// @notice Mark, funding and index of an instrument.
    /// @dev The mark is a multiple of the lot divisor, so it is the value of a lot before funding
    /// times the divisor.
    function open(
        Epoch calldata epoch,
        Report calldata report,
        InstrumentOpening calldata instrument,
        Column calldata values,
        Column calldata funding
    ) internal pure returns (Opened memory opened) {
        uint16 id = instrument.listed.id;
        opened.fundingE6 = fundingOf(epoch, id, funding);
        Openings.requireValues(epoch, underlyingOf(id), values);
        int256 lotE6 = Columns.valueAt(values.packed, id & SLOT_MASK) + opened.fundingE6;
        opened.markE8 = lotE6 * int256(uint256(instrument.listed.instrument.lotDivisor));
        Openings.requireReport(report, epoch.reportHash);
        opened.indexE8 = Columns.valueAt(report.medians, instrument.listed.places.index);
    }

    /// @notice The worst price at which lots may be closed by force. [USD e-8]
    function limitOf(Opened memory opened, InstrumentOpening calldata instrument, int256 lots)
        internal
        pure
        returns (int256)
    {
        return Prices.limitOf(instrument.listed, opened.markE8, opened.indexE8, lots > 0);
    }

    /// @notice Whether a TRADE is beyond a limit price [USD e-8], given the funding of a lot.
    /// @param word A TRADE.
    function isBeyond(
        uint256 word,
        int256 limitE8,
        InstrumentOpening calldata instrument,
        int256 fundingE6
    ) internal pure returns (bool) {
        int256 divisor = int256(uint256(instrument.listed.instrument.lotDivisor));
        int256 limitE6 = limitE8 / divisor - fundingE6;
        return Prices.isBeyond(Effects.lotsOf(word), Effects.costOf(word), limitE6);
    }

    function underlyingOf(uint16 instrument) private pure returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast): 16 bits less 8.
        return uint8(instrument >> SLOT_BITS);
    }
}
