// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Record types of the input log.
uint8 constant RECORD_GENESIS = 1;
uint8 constant RECORD_DEPOSIT = 2;
uint8 constant RECORD_PLACE_ORDER = 3;
uint8 constant RECORD_CANCEL_ORDER = 4;
uint8 constant RECORD_PRICE_REPORT = 5;
uint8 constant RECORD_FUNDING_TICK = 6;
uint8 constant RECORD_LIQUIDATE = 7;
uint8 constant RECORD_WITHDRAW = 8;
uint8 constant RECORD_SETTLE_EXPIRY = 9;
uint8 constant RECORD_SET_MODE = 10;
uint8 constant RECORD_CONVERT = 11;
uint8 constant RECORD_FORCED = 12;
uint8 constant RECORD_ADOPT = 13;

/// @title Frames
/// @notice The frame of one record of the input log, and big-endian fields of fixed width.
/// @dev frame = seq u64 | time_ns u64 | epoch u32 | type u8 | length u32 | payload.
library Frames {
    uint256 internal constant HEAD_BYTES = 25;

    uint256 private constant TIME_AT = 8;
    uint256 private constant EPOCH_AT = 16;
    uint256 private constant TYPE_AT = 20;
    uint256 private constant LENGTH_AT = 21;

    uint256 private constant SIGNATURE_BYTES = 65;
    uint256 private constant REPORT_HEAD_BYTES = 18;

    /// @dev A value and its span.
    uint256 private constant SEEN_BYTES = 12;

    /// @dev Eight numbers of 32 bits, above the document.
    uint256 private constant TERMS_BYTES = 32;

    /// @notice The field reaches beyond the end.
    error FieldBeyondEnd(uint256 end, uint256 length);

    /// @notice The record is of another type than the rule is about.
    error WrongRecordType(uint8 given, uint8 expected);

    /// @notice Sequence number of the record, from 1.
    function seqOf(bytes calldata frame) internal pure returns (uint64) {
        return u64At(frame, 0);
    }

    /// @notice Time of the record. [ns since 1970]
    function timeOf(bytes calldata frame) internal pure returns (uint64) {
        return u64At(frame, TIME_AT);
    }

    /// @notice The sequencer's epoch.
    function epochOf(bytes calldata frame) internal pure returns (uint32) {
        return u32At(frame, EPOCH_AT);
    }

    /// @notice One of `RECORD_*`, if the sequencer is honest.
    function typeOf(bytes calldata frame) internal pure returns (uint8) {
        return u8At(frame, TYPE_AT);
    }

    /// @notice Reverts unless the record is of this type.
    function requireType(bytes calldata frame, uint8 expected) internal pure {
        uint8 given = typeOf(frame);
        require(given == expected, WrongRecordType(given, expected));
    }

    /// @notice Everything after the head.
    function payloadOf(bytes calldata frame) internal pure returns (bytes calldata) {
        require(frame.length >= HEAD_BYTES, FieldBeyondEnd(HEAD_BYTES, frame.length));
        return frame[HEAD_BYTES:];
    }

    /// @notice Whether the frame has a head, a known type, the length that its head says and the
    /// size that its type needs.
    /// @dev Text, truth values and choices inside the payload are not looked at.
    function isWellFormed(bytes calldata frame) internal pure returns (bool) {
        if (frame.length < HEAD_BYTES) return false;
        bytes calldata payload = frame[HEAD_BYTES:];
        if (u32At(frame, LENGTH_AT) != payload.length) return false;
        uint8 kind = typeOf(frame);
        if (kind == RECORD_GENESIS) return payload.length != 0;
        if (kind == RECORD_ADOPT) return payload.length > TERMS_BYTES;
        if (kind == RECORD_PRICE_REPORT) return isReport(payload);
        if (kind == 0 || kind > RECORD_FORCED) return false;
        return payload.length == sizeOf(kind);
    }

    /// @notice Bytes of the payload of a record of fixed size.
    function sizeOf(uint8 kind) internal pure returns (uint256) {
        if (kind == RECORD_DEPOSIT) return 55;
        if (kind == RECORD_PLACE_ORDER) return 101;
        if (kind == RECORD_CANCEL_ORDER) return 93;
        if (kind == RECORD_LIQUIDATE) return 4;
        if (kind == RECORD_WITHDRAW) return 94;
        if (kind == RECORD_SETTLE_EXPIRY) return 2;
        if (kind == RECORD_SET_MODE) return 86;
        if (kind == RECORD_CONVERT) return 102;
        if (kind == RECORD_FORCED) return 76;
        return 0; // a funding tick
    }

    /// @dev round u64 | observedAt u64 | count u16 | count x (signer u8, n u16, n x i64, n x (down
    /// u16, up u16), signature).
    function isReport(bytes calldata payload) private pure returns (bool) {
        if (payload.length < REPORT_HEAD_BYTES) return false;
        uint256 count = u16At(payload, 16);
        uint256 offset = REPORT_HEAD_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            if (offset + 3 > payload.length) return false;
            offset += 3 + uint256(u16At(payload, offset + 1)) * SEEN_BYTES + SIGNATURE_BYTES;
        }
        return offset == payload.length;
    }

    function u8At(bytes calldata data, uint256 offset) internal pure returns (uint8) {
        return uint8(bytes1(wordAt(data, offset, 1)));
    }

    function u16At(bytes calldata data, uint256 offset) internal pure returns (uint16) {
        return uint16(bytes2(wordAt(data, offset, 2)));
    }

    function u32At(bytes calldata data, uint256 offset) internal pure returns (uint32) {
        return uint32(bytes4(wordAt(data, offset, 4)));
    }

    function i32At(bytes calldata data, uint256 offset) internal pure returns (int32) {
        // The same bits: two's complement.
        // forge-lint: disable-next-line(unsafe-typecast)
        return int32(u32At(data, offset));
    }

    function u64At(bytes calldata data, uint256 offset) internal pure returns (uint64) {
        return uint64(bytes8(wordAt(data, offset, 8)));
    }

    function i64At(bytes calldata data, uint256 offset) internal pure returns (int64) {
        // As above.
        // forge-lint: disable-next-line(unsafe-typecast)
        return int64(u64At(data, offset));
    }

    function u128At(bytes calldata data, uint256 offset) internal pure returns (uint128) {
        return uint128(bytes16(wordAt(data, offset, 16)));
    }

    function addressAt(bytes calldata data, uint256 offset) internal pure returns (address) {
        return address(bytes20(wordAt(data, offset, 20)));
    }

    /// @dev The 32 bytes from `offset`, of which `size` lie within the data.
    function wordAt(bytes calldata data, uint256 offset, uint256 size)
        private
        pure
        returns (bytes32 word)
    {
        require(offset + size <= data.length, FieldBeyondEnd(offset + size, data.length));
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
