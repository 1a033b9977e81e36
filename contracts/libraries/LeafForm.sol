// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MODE_PORTFOLIO} from "../types/Account.sol";

/// @title LeafForm
/// @notice Whether bytes are the one encoding that an account has as a leaf.
/// @dev abi.encode(AccountLeaf): 0x20 | owner | subaccount | mode | cash | 0xc0 | place of the
/// positions | count | collateral .. | count | positions .., each a word, a position three.
library LeafForm {
    uint256 private constant WORD = 32;

    /// @dev Words without any collateral or position.
    uint256 private constant LEAST_WORDS = 9;
    uint256 private constant COLLATERAL_AT = 6 * WORD;
    uint256 private constant POSITION_WORDS = 3;
    uint256 private constant MAX_POSITIONS = 32;
    uint256 private constant MAX_ASSETS = 8;

    // Words of the encoding.
    uint256 private constant START = 0;
    uint256 private constant OWNER = 1;
    uint256 private constant SUBACCOUNT = 2;
    uint256 private constant MODE = 3;
    uint256 private constant CASH = 4;
    uint256 private constant COLLATERAL_PLACE = 5;
    uint256 private constant POSITION_PLACE = 6;
    uint256 private constant ASSETS = 7;

    /// @notice Whether the leaf is canonical: exactly the bytes of an account, whose positions have
    /// lots and ascend by instrument, at most 32 of them.
    function isCanonical(bytes calldata leaf) internal pure returns (bool) {
        if (leaf.length % WORD != 0 || leaf.length < LEAST_WORDS * WORD) return false;
        if (wordAt(leaf, START) != WORD || wordAt(leaf, COLLATERAL_PLACE) != COLLATERAL_AT) {
            return false;
        }
        if (
            wordAt(leaf, OWNER) > type(uint160).max || wordAt(leaf, SUBACCOUNT) > type(uint8).max
                || wordAt(leaf, MODE) > MODE_PORTFOLIO || !isSigned(wordAt(leaf, CASH), 64)
        ) return false;

        uint256 assets = wordAt(leaf, ASSETS);
        if (assets > MAX_ASSETS) return false;
        // The place counts from behind the first word.
        uint256 positionsAt = ASSETS + 1 + assets;
        if (wordAt(leaf, POSITION_PLACE) != (positionsAt - 1) * WORD) return false;
        if (leaf.length < (positionsAt + 1) * WORD) return false;
        uint256 positions = wordAt(leaf, positionsAt);
        if (positions > MAX_POSITIONS) return false;
        if (leaf.length != (positionsAt + 1 + positions * POSITION_WORDS) * WORD) return false;
        for (uint256 a = 0; a < assets; ++a) {
            if (wordAt(leaf, ASSETS + 1 + a) > type(uint64).max) return false;
        }
        return arePositions(leaf, positionsAt + 1, positions);
    }

    function arePositions(bytes calldata leaf, uint256 place, uint256 count)
        private
        pure
        returns (bool)
    {
        uint256 least = 0;
        for (uint256 p = 0; p < count; ++p) {
            uint256 instrument = wordAt(leaf, place);
            uint256 lots = wordAt(leaf, place + 1);
            if (instrument < least || instrument > type(uint16).max) return false;
            if (lots == 0 || !isSigned(lots, 32) || !isSigned(wordAt(leaf, place + 2), 64)) {
                return false;
            }
            least = instrument + 1;
            place += POSITION_WORDS;
        }
        return true;
    }

    /// @dev Whether the word is a two's complement number of so many bits.
    function isSigned(uint256 word, uint256 bits) private pure returns (bool) {
        uint256 half = 1 << (bits - 1);
        unchecked {
            return word + half < 2 * half;
        }
    }

    /// @dev Word `i`, which lies within the leaf.
    function wordAt(bytes calldata leaf, uint256 i) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(leaf.offset, shl(5, i)))
        }
    }
}
