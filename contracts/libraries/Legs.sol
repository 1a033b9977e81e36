// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Position} from "../types/Account.sol";
import {Leg, TIER_FULL, TIER_PARTIAL, Terms} from "../types/Liquidation.sol";
import {ONE_E6} from "../types/Units.sol";
import {Rounding} from "./Rounding.sol";

/// @title Legs
/// @notice What a liquidation may do to an account in each tier.
/// @dev Mirrors `offchain.core.liquidation`.
library Legs {
    /// @notice There is no such tier.
    error UnknownTier(uint8 tier);

    /// @notice A partial liquidation reduces something.
    error NoLegs();

    /// @notice Legs must ascend strictly by instrument.
    error LegsOutOfOrder(uint16 earlier, uint16 later);

    /// @notice The account has no position in the instrument of the leg.
    error LegWithoutPosition(uint16 instrument);

    /// @notice The leg is empty or adds to the position. [lots]
    error LegNotReducing(uint16 instrument, int32 lots, int32 position);

    /// @notice The leg closes more than the cap allows. [lots]
    error LegAboveCap(uint16 instrument, int32 lots, uint256 cap);

    /// @notice A full liquidation has one leg for each position.
    error LegCount(uint256 legs, uint256 positions);

    /// @notice A full liquidation leaves nothing of a position. [lots]
    error PositionNotClosed(uint16 instrument, int256 left);

    /// @notice The margin ratio below which the tier applies. [1e-6]
    function triggerOf(uint8 tier, Terms memory terms) internal pure returns (uint32) {
        if (tier == TIER_PARTIAL) return terms.partialTriggerE6;
        if (tier == TIER_FULL) return terms.fullTriggerE6;
        revert UnknownTier(tier);
    }

    /// @notice Reverts unless the legs are right for the tier.
    /// @param positions Ascending by instrument.
    function check(
        uint8 tier,
        Leg[] calldata legs,
        Position[] calldata positions,
        uint32 partialCapE6
    ) internal pure {
        if (tier == TIER_FULL) checkFull(legs, positions);
        else checkPartial(legs, positions, partialCapE6);
    }

    /// @notice Every position is closed, each by the leg at the same place.
    function checkFull(Leg[] calldata legs, Position[] calldata positions) internal pure {
        require(legs.length == positions.length, LegCount(legs.length, positions.length));
        for (uint256 i = 0; i < legs.length; ++i) {
            Leg calldata leg = legs[i];
            Position calldata position = positions[i];
            uint16 instrument = leg.instrument;
            if (instrument != position.instrument) revert LegWithoutPosition(instrument);
            // Widened, so that the most negative lots have an opposite and nothing wraps.
            unchecked {
                int256 left = int256(leg.lots) + int256(position.lots);
                if (left != 0) revert PositionNotClosed(instrument, left);
            }
        }
    }

    /// @notice Every leg reduces a position by at most the cap, rounded up.
    function checkPartial(Leg[] calldata legs, Position[] calldata positions, uint32 partialCapE6)
        internal
        pure
    {
        require(legs.length != 0, NoLegs());
        uint256 p = 0;
        for (uint256 i = 0; i < legs.length; ++i) {
            uint16 instrument = legs[i].instrument;
            if (i != 0) {
                uint16 earlier = legs[i - 1].instrument;
                require(earlier < instrument, LegsOutOfOrder(earlier, instrument));
            }
            while (p < positions.length && positions[p].instrument < instrument) ++p;
            require(
                p < positions.length && positions[p].instrument == instrument,
                LegWithoutPosition(instrument)
            );
            checkReduction(instrument, legs[i].lots, positions[p].lots, partialCapE6);
        }
    }

    function checkReduction(uint16 instrument, int32 lots, int32 position, uint32 partialCapE6)
        private
        pure
    {
        require(
            lots != 0 && (lots < 0) == (position > 0), LegNotReducing(instrument, lots, position)
        );
        // Lots are widened by the call, so that the most negative ones have a magnitude.
        uint256 cap = Rounding.mulDivCeil(Rounding.magnitude(position), partialCapE6, ONE_E6);
        require(Rounding.magnitude(lots) <= cap, LegAboveCap(instrument, lots, cap));
    }
}
