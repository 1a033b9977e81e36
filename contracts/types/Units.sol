// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Scales and limits, shared name for name with `offchain.core.units`. A name ends in its scale:
// E6 counts millionths of a dollar or of one, E8 hundred-millionths of a dollar or of a token.

uint256 constant ONE_E6 = 1e6;
uint256 constant ONE_E8 = 1e8;

/// @dev An amount [E8] times a price [E8], divided by this, is money [USD e-6].
uint256 constant AMOUNT_PRICE_PER_USD_E6 = 1e10;

uint256 constant SECOND_NS = 1e9;
uint256 constant DAY_NS = 86_400 * SECOND_NS;
uint256 constant YEAR_NS = 365 * DAY_NS;

/// @dev Prices and strikes are below `2**PRICE_BITS`. [USD e-8]
uint256 constant PRICE_BITS = 46;

uint256 constant SCENARIOS = 36;

/// @dev An instrument is `underlying << SLOT_BITS | slot`.
uint256 constant SLOT_BITS = 8;
uint256 constant SLOT_MASK = 0xff;

uint256 constant ACCOUNT_TREE_DEPTH = 20;

/// @dev Collateral assets besides cash, at most: as many as the vault lists.
uint256 constant MAX_COLLATERALS = 8;
