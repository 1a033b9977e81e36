// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Quotes} from "../../../contracts/libraries/Quotes.sol";
import {Terms} from "../../../contracts/types/Liquidation.sol";
import {ListedInstrument} from "../../../contracts/types/Listing.sol";
import {FeedPlaces, Instrument, Quote, Scan} from "../../../contracts/types/Pricing.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @dev The part of a parameter set that the risk oracle reads, set by the test.
contract SetParameters {
    bytes32 public paramsHash;
    mapping(bytes32 paramsHash => bytes32) public listingRootOf;

    Terms private _terms;

    function adopt(bytes32 hash, bytes32 listingRoot, Terms calldata terms) external {
        paramsHash = hash;
        listingRootOf[hash] = listingRoot;
        _terms = terms;
    }

    function termsOf(bytes32) external view returns (Terms memory) {
        return _terms;
    }
}

/// @dev The quote as the judges take it.
contract QuoteReader {
    function quoteOf(
        bytes calldata medians,
        FeedPlaces calldata places,
        Instrument calldata instrument,
        uint64 nowNs
    ) external pure returns (Quote memory) {
        return Quotes.quoteOf(medians, places, instrument, nowNs);
    }
}

/// @dev A listing of some instruments behind one leaf of the oracle.
library OracleListing {
    function leaves(ListedInstrument[] memory instruments)
        internal
        pure
        returns (bytes32[] memory list)
    {
        list = new bytes32[](instruments.length + 1);
        list[0] = keccak256("the oracle's leaf");
        for (uint256 i = 0; i < instruments.length; ++i) {
            list[i + 1] = keccak256(abi.encode(instruments[i]));
        }
    }

    function root(ListedInstrument[] memory instruments) internal pure returns (bytes32) {
        return MerkleTree.root(leaves(instruments));
    }

    function proof(ListedInstrument[] memory instruments, uint256 place)
        internal
        pure
        returns (bytes32[] memory)
    {
        return MerkleTree.proof(leaves(instruments), place + 1);
    }

    function listed(uint16 id, Instrument memory instrument, FeedPlaces memory places)
        internal
        pure
        returns (ListedInstrument memory item)
    {
        (item.id, item.instrument, item.places) = (id, instrument, places);
    }

    function listed(
        uint16 id,
        Instrument memory instrument,
        FeedPlaces memory places,
        Scan memory scan
    ) internal pure returns (ListedInstrument memory item) {
        item = listed(id, instrument, places);
        item.scan = scan;
    }
}
