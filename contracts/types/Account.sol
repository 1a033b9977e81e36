// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// `AccountLeaf.mode`: how an account is margined. Isolated and cross accounts hold perpetuals and
// futures only, each of which requires for itself.
uint8 constant MODE_ISOLATED = 0;
uint8 constant MODE_CROSS = 1;
uint8 constant MODE_PORTFOLIO = 2;

/// @notice One open position.
/// @param instrument `underlying << 8 | slot`.
/// @param lots Long positive, never zero. [lots]
/// @param costE6 What was paid, net of the funding index. [USD e-6]
struct Position {
    uint16 instrument;
    int32 lots;
    int64 costE6;
}

/// @notice What the account tree commits to about one account.
/// @param mode 0 isolated, 1 cross, 2 portfolio.
/// @param cashE6 Asset 0, negative when owed. [USD e-6]
/// @param collateralE8 Asset `a` at place `a - 1`. [token e-8]
/// @param positions Ascending by instrument.
struct AccountLeaf {
    address owner;
    uint8 subaccount;
    uint8 mode;
    int64 cashE6;
    uint64[] collateralE8;
    Position[] positions;
}
