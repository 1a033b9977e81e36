// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commands} from "./Commands.sol";
import {Frames} from "./Frames.sol";
import {Medians} from "./Medians.sol";
import {Observations} from "./Observations.sol";

/// @title Rounds
/// @notice The observations in the frame of a PriceReport, and their medians.
/// @dev round u64 | observedAt u64 | count u16 | count x (signer u8, n u16, n x i64, n x (down
/// u16, up u16), signature).
/// A frame that ends before its observations reverts: the judge of steps asks about it.
library Rounds {
    using Frames for bytes;

    uint256 private constant FIRST_AT = Frames.HEAD_BYTES + 18;
    uint256 private constant VALUES_AT = 3;
    uint256 private constant SIGNATURE_BYTES = 65;

    /// @notice One observation, by its places in the frame.
    /// @param signer Place in the listing.
    /// @param values Values that it has, each with its span.
    /// @param from Where they begin.
    /// @param to Where they end, and the signature begins.
    struct Place {
        uint256 signer;
        uint256 values;
        uint256 from;
        uint256 to;
    }

    /// @notice Where every observation of the report is.
    function placesOf(bytes calldata frame) internal pure returns (Place[] memory places) {
        places = new Place[](Commands.observationsOf(frame));
        uint256 start = FIRST_AT;
        for (uint256 i = 0; i < places.length; ++i) {
            Place memory place = places[i];
            place.signer = frame.u8At(start);
            place.values = frame.u16At(start + 1);
            place.from = start + VALUES_AT;
            place.to = place.from + place.values * Observations.FEED_BYTES;
            start = place.to + SIGNATURE_BYTES;
            require(start <= frame.length, Frames.FieldBeyondEnd(start, frame.length));
        }
    }

    /// @notice The packed values and spans of an observation.
    function vectorOf(bytes calldata frame, Place memory place)
        internal
        pure
        returns (bytes calldata)
    {
        return frame[place.from:place.to];
    }

    function signatureOf(bytes calldata frame, Place memory place)
        internal
        pure
        returns (bytes calldata)
    {
        return frame[place.to:place.to + SIGNATURE_BYTES];
    }

    /// @notice The median of each feed; every observation has as many values.
    function mediansOf(bytes calldata frame, uint256 feeds)
        internal
        pure
        returns (int64[] memory medians)
    {
        Place[] memory places = placesOf(frame);
        uint256[] memory starts = new uint256[](places.length);
        for (uint256 i = 0; i < places.length; ++i) {
            require(places[i].values == feeds, Medians.VectorLength(i, places[i].values, feeds));
            uint256 from = places[i].from;
            // starts[i] = <where frame[from:] lies in calldata>
            assembly ("memory-safe") {
                mstore(add(add(starts, 0x20), shl(5, i)), add(frame.offset, from))
            }
        }
        medians = new int64[](feeds);
        int64[] memory sorted = new int64[](places.length);
        for (uint256 feed = 0; feed < feeds; ++feed) {
            Medians.sortFeed(sorted, starts, feed);
            medians[feed] = sorted[(places.length - 1) / 2];
        }
    }
}
