// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint8 constant INBOX_DEPOSIT = 1;
uint8 constant INBOX_WITHDRAW = 2;
uint8 constant INBOX_CANCEL_ALL = 3;
uint8 constant INBOX_CLOSE = 4;
uint8 constant INBOX_GRANT_KEY = 5;
uint8 constant INBOX_REVOKE_KEY = 6;

/// @notice One entry of the inbox; docs/COMMITMENTS.md says what each kind puts where.
/// @param kind One of `INBOX_*`.
/// @param index Position in the queue, from 1.
/// @param time When it was enqueued. [s since 1970]
/// @param owner Whose accounts it is about.
/// @param place Asset or instrument.
/// @param amount In the engine's units, lots, or seconds since 1970.
/// @param key A trading key; zero where there is none.
struct InboxEntry {
    uint8 kind;
    uint64 index;
    uint64 time;
    address owner;
    uint8 subaccount;
    uint16 place;
    uint128 amount;
    address key;
}
