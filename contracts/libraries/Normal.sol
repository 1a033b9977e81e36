// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Normal
/// @notice The normal distribution function from a table of polynomials that is stored as code,
/// equal on every bit to `normal_reference` of `offchain.pricing.black76`.
/// @dev The table is the code of a contract: a STOP, then 512 segments of five int64, big-endian,
/// each with 62 fraction bits. Segment i covers [i/64, (i + 1)/64); on it
/// N(x) = c0 + t (c1 + t (c2 + t (c3 + t c4))) with t in [-1, 1).
library Normal {
    /// @dev Fraction bits of a probability.
    uint256 internal constant PROBABILITY_BITS = 62;
    int256 internal constant PROBABILITY_ONE = int256(1) << PROBABILITY_BITS;

    /// @dev Fraction bits of the argument.
    uint256 internal constant ARGUMENT_BITS = 58;

    /// @dev keccak256 of the code that is the table of `offchain.pricing.normal_table`.
    bytes32 internal constant TABLE_CODE_HASH =
        0x05870fb9e9e76205432f92a2979c03235da519b6fa964974a7aa8ce71ef9cc36;

    uint256 private constant SEGMENT_BITS = 6;
    uint256 private constant SEGMENT_BYTES = 40;

    /// @dev Beyond 8, N(x) is what it is just below.
    uint256 private constant LAST = (8 << ARGUMENT_BITS) - 1;
    uint256 private constant ROW_SHIFT = ARGUMENT_BITS - SEGMENT_BITS;
    uint256 private constant FRACTION_MASK = (1 << ROW_SHIFT) - 1;
    uint256 private constant FRACTION_SHIFT = PROBABILITY_BITS + 1 - ROW_SHIFT;

    /// @notice The code is not that of the table.
    error WrongTable(bytes32 codeHash);

    /// @notice Reverts unless the code of an address is the table.
    function check(address table) internal view {
        require(table.codehash == TABLE_CODE_HASH, WrongTable(table.codehash));
    }

    /// @notice N(x). [2**-62]
    /// @param x Any number above -2**255. [2**-58]
    /// @param table A contract whose code has passed `check`.
    function probability(int256 x, address table) internal view returns (int256 value) {
        // With coefficients of 64 bits and |t| <= 2**62 each step stays below 2**66 and each
        // product below 2**128.
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast): it is not negative.
            uint256 distance = uint256(x < 0 ? -x : x);
            if (distance > LAST) distance = LAST;
            (uint256 lower, int256 top) = segmentAt(distance >> ROW_SHIFT, table);
            // forge-lint: disable-next-line(unsafe-typecast): below 2**63.
            int256 t = int256((distance & FRACTION_MASK) << FRACTION_SHIFT) - PROBABILITY_ONE;
            // Coefficient c of four is int64(uint64(lower >> (192 - 64 c))).
            // forge-lint: disable-start(unsafe-typecast): each takes its own 64 bits.
            value = int64(uint64(lower)) + (top * t >> PROBABILITY_BITS);
            value = int64(uint64(lower >> 64)) + (value * t >> PROBABILITY_BITS);
            value = int64(uint64(lower >> 128)) + (value * t >> PROBABILITY_BITS);
            value = int64(uint64(lower >> 192)) + (value * t >> PROBABILITY_BITS);
            // forge-lint: disable-end(unsafe-typecast)
            if (x < 0) value = PROBABILITY_ONE - value;
        }
    }

    /// @dev Coefficients of a segment: the lower four as one word, and the highest.
    function segmentAt(uint256 segment, address table)
        private
        view
        returns (uint256 lower, int256 top)
    {
        // bytes memory row = table.code[1 + 40 * segment:41 + 40 * segment];
        // lower = uint256(bytes32(row[:32])); top = int64(uint64(bytes8(row[32:])));
        // `table.code` would copy all of it. The 40 bytes fit the 64 of scratch space.
        assembly ("memory-safe") {
            extcodecopy(table, 0, add(1, mul(segment, SEGMENT_BYTES)), SEGMENT_BYTES)
            lower := mload(0)
            top := sar(192, mload(0x20))
        }
    }
}
