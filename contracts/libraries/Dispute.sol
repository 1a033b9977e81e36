// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Dispute
/// @notice How the evidence of a judge with several rules is laid out.
/// @dev evidence = rule u8 | abi.encode(struct of the rule).
library Dispute {
    /// @dev `abi.encode` of a struct with an array inside begins with the place of the struct.
    uint256 private constant STRUCT_AT = 0x20;
    uint256 private constant HEAD_BYTES = 0x21;

    /// @notice The evidence is not a rule and a struct.
    error MalformedEvidence();

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The rule, and where in calldata its struct begins.
    /// @dev The struct is read in place: whatever it says, it is hashed before it is believed, and
    /// the compiler keeps every read within calldata.
    function split(bytes calldata evidence) internal pure returns (uint8 rule, uint256 place) {
        require(evidence.length >= HEAD_BYTES, MalformedEvidence());
        uint256 structAt;
        assembly ("memory-safe") {
            rule := byte(0, calldataload(evidence.offset))
            structAt := calldataload(add(evidence.offset, 1))
            place := add(evidence.offset, 0x21)
        }
        require(structAt == STRUCT_AT, MalformedEvidence());
    }
}
