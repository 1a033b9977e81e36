// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Frames,
    RECORD_CANCEL_ORDER,
    RECORD_CONVERT,
    RECORD_PLACE_ORDER,
    RECORD_SET_MODE,
    RECORD_WITHDRAW
} from "./Frames.sol";

/// @title Commands
/// @notice Fields of the commands that a frame carries, by name; docs/COMMITMENTS.md, "Input log".
/// @dev A field of another command is some bytes of this one: look at the type first. What lies
/// beyond the end reverts.
library Commands {
    using Frames for bytes;

    uint256 private constant HEAD = Frames.HEAD_BYTES;
    uint256 private constant SIGNATURE_BYTES = 65;
    uint256 private constant NUMBER_BYTES = 8;

    /// @notice The record carries no intent.
    error NotAnIntent(uint8 recordType);

    /// @notice Account of an intent or of a liquidation.
    function accountOf(bytes calldata frame) internal pure returns (uint32) {
        return frame.u32At(HEAD);
    }

    // PlaceOrder

    function instrumentOfOrder(bytes calldata frame) internal pure returns (uint16) {
        return frame.u16At(HEAD + 4);
    }

    function lotsOfOrder(bytes calldata frame) internal pure returns (int32) {
        return frame.i32At(HEAD + 6);
    }

    /// @notice Worst price. [USD e-8]
    function limitOfOrder(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 10);
    }

    function timeInForceOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 18);
    }

    function reduceOnlyOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 19);
    }

    // CancelOrder

    function orderOfCancel(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 4);
    }

    // Withdraw and Convert begin alike.

    function assetOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 4);
    }

    function amountOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 5);
    }

    /// @notice Least cash of a conversion. [USD e-6]
    function minimumOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 13);
    }

    // SetMode

    function modeOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 4);
    }

    // SettleExpiry

    function instrumentOfExpiry(bytes calldata frame) internal pure returns (uint16) {
        return frame.u16At(HEAD);
    }

    // PriceReport

    function roundOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD);
    }

    /// @notice Time of the observations. [ns since 1970]
    function observedAtOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 8);
    }

    function observationsOf(bytes calldata frame) internal pure returns (uint16) {
        return frame.u16At(HEAD + 16);
    }

    // Deposit and Forced begin alike.

    /// @notice Place in the inbox, from 1.
    function entryIndexOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD);
    }

    /// @notice When the entry was enqueued. [s since 1970]
    function entryTimeOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(HEAD + 8);
    }

    function ownerOf(bytes calldata frame) internal pure returns (address) {
        return frame.addressAt(HEAD + 16);
    }

    function subaccountOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 36);
    }

    /// @notice Asset or instrument.
    function placeOf(bytes calldata frame) internal pure returns (uint16) {
        return frame.u16At(HEAD + 37);
    }

    /// @notice Amount of an inbox entry. [engine units]
    function entryAmountOf(bytes calldata frame) internal pure returns (uint128) {
        return frame.u128At(HEAD + 39);
    }

    function entryKindOf(bytes calldata frame) internal pure returns (uint8) {
        return frame.u8At(HEAD + 55);
    }

    /// @notice Trading key of a forced entry; zero when it is about none.
    function entryKeyOf(bytes calldata frame) internal pure returns (address) {
        return frame.addressAt(HEAD + 56);
    }

    // Every intent ends with its nonce, its expiry and its signature.

    function isIntent(uint8 recordType) internal pure returns (bool) {
        return recordType == RECORD_PLACE_ORDER || recordType == RECORD_CANCEL_ORDER
            || recordType == RECORD_WITHDRAW || recordType == RECORD_SET_MODE
            || recordType == RECORD_CONVERT;
    }

    function nonceOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(intentEnd(frame) - 2 * NUMBER_BYTES);
    }

    /// @notice From when on the intent may not be used. [ns since 1970]
    function expiryOf(bytes calldata frame) internal pure returns (uint64) {
        return frame.u64At(intentEnd(frame) - NUMBER_BYTES);
    }

    function signatureOf(bytes calldata frame) internal pure returns (bytes calldata) {
        uint256 end = intentEnd(frame);
        require(
            frame.length >= end + SIGNATURE_BYTES,
            Frames.FieldBeyondEnd(end + SIGNATURE_BYTES, frame.length)
        );
        return frame[end:end + SIGNATURE_BYTES];
    }

    /// @dev Where the signature begins.
    function intentEnd(bytes calldata frame) private pure returns (uint256) {
        uint8 recordType = frame.typeOf();
        require(isIntent(recordType), NotAnIntent(recordType));
        return HEAD + Frames.sizeOf(recordType) - SIGNATURE_BYTES;
    }
}
