// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EFFECT_ASSETS,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SETTLE,
    EFFECT_SHORTFALL,
    EFFECT_TRADE,
    Step
} from "../types/Trace.sol";

/// @title Effects
/// @notice Reads the effect words of a record, as docs/COMMITMENTS.md lays them out.
/// @dev kind u8 | account u32 | place u16 | body of 25 bytes, filled with zeros. What a field means
/// depends on the kind: reading the field of another kind gives some bits of the body.
library Effects {
    uint256 internal constant WORD_BYTES = 32;

    /// @notice Account of an effect that concerns none.
    uint32 internal constant NO_ACCOUNT = type(uint32).max;

    /// @dev Bits of the body that each kind leaves zero, counted from the end of the word.
    uint256 private constant BODY_BITS = 200;
    uint256 private constant OWNER_REST = 40;
    uint256 private constant NUMBER_REST = 136;
    uint256 private constant COLLATERAL_REST = 128;
    uint256 private constant TRADE_REST = 40;
    uint256 private constant OUTPUT_REST = 72;

    /// @notice The words given are not those of the step.
    error WrongEffects(bytes32 given, bytes32 expected);

    /// @notice The record has fewer effects.
    error NoSuchEffect(uint256 place, uint256 count);

    /// @notice The effect is of another kind than the rule is about.
    error WrongEffectKind(uint8 given, uint8 expected);

    /// @notice Reverts unless these are the effect words of the step.
    function requireOf(Step calldata step, bytes calldata effects) internal pure {
        bytes32 given = keccak256(effects);
        require(given == step.effectsHash, WrongEffects(given, step.effectsHash));
    }

    /// @notice The number of whole words; what is left over is no effect.
    function count(bytes calldata effects) internal pure returns (uint256) {
        return effects.length / WORD_BYTES;
    }

    /// @notice The word at a place, from 0.
    function wordAt(bytes calldata effects, uint256 place) internal pure returns (uint256 word) {
        uint256 words = count(effects);
        require(place < words, NoSuchEffect(place, words));
        assembly ("memory-safe") {
            word := calldataload(add(effects.offset, shl(5, place)))
        }
    }

    /// @notice The word at a place, which must be of a kind.
    function ofKind(bytes calldata effects, uint256 place, uint8 kind)
        internal
        pure
        returns (uint256 word)
    {
        word = wordAt(effects, place);
        require(kindOf(word) == kind, WrongEffectKind(kindOf(word), kind));
    }

    /// @notice One of `EFFECT_*`, if the sequencer is honest.
    function kindOf(uint256 word) internal pure returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast): nothing is above the field.
        return uint8(word >> 248);
    }

    function accountOf(uint256 word) internal pure returns (uint32) {
        // What is above the field is cut off on purpose, here and below.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(word >> 216);
    }

    function placeOf(uint256 word) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(word >> BODY_BITS);
    }

    /// @notice Owner of the account that OPEN opens.
    function ownerOf(uint256 word) internal pure returns (address) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return address(uint160(word >> OWNER_REST));
    }

    /// @notice What CASH and COLLATERAL add, and the value of a lot that SETTLE states.
    function deltaOf(uint256 word) internal pure returns (int64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return int64(uint64(word >> NUMBER_REST));
    }

    /// @notice Whether COLLATERAL comes from the inbox.
    function isDeposit(uint256 word) internal pure returns (bool) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8(word >> COLLATERAL_REST) != 0;
    }

    /// @notice Lots of a TRADE.
    function lotsOf(uint256 word) internal pure returns (int32) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return int32(uint32(word >> 168));
    }

    /// @notice What a TRADE adds to the cost of the position. [USD e-6]
    function costOf(uint256 word) internal pure returns (int64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return int64(uint64(word >> 104));
    }

    /// @notice The resting order that a TRADE fills; zero when it fills none.
    function orderOf(uint256 word) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(word >> TRADE_REST);
    }

    /// @notice Amount of an OUTPUT or a SHORTFALL.
    function amountOf(uint256 word) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(word >> NUMBER_REST);
    }

    /// @notice Number of an OUTPUT.
    function outputOf(uint256 word) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(word >> OUTPUT_REST);
    }

    /// @notice Whether the kind exists and the body is zero where the kind has no field.
    function isCanonical(uint256 word) internal pure returns (bool) {
        uint8 kind = kindOf(word);
        if (kind == 0 || kind > EFFECT_ASSETS) return false;
        // The bits of the flag that must be zero.
        if (kind == EFFECT_COLLATERAL && (word >> COLLATERAL_REST) & 0xfe != 0) return false;
        return word & ((1 << restOf(kind)) - 1) == 0;
    }

    /// @dev Bits at the end of a word that its kind does not use.
    function restOf(uint8 kind) private pure returns (uint256) {
        if (kind == EFFECT_OPEN) return OWNER_REST;
        if (kind == EFFECT_COLLATERAL) return COLLATERAL_REST;
        if (kind == EFFECT_TRADE) return TRADE_REST;
        if (kind == EFFECT_OUTPUT) return OUTPUT_REST;
        if (kind == EFFECT_CASH || kind == EFFECT_SETTLE || kind == EFFECT_SHORTFALL) {
            return NUMBER_REST;
        }
        return BODY_BITS;
    }
}
