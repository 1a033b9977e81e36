// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, MODE_PORTFOLIO, Position} from "../types/Account.sol";
import {AccountOpening} from "../types/ContentEvidence.sol";
import {
    EFFECT_ASSETS,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_MODE,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SETTLE,
    EFFECT_TRADE
} from "../types/Trace.sol";
import {MAX_COLLATERALS} from "../types/Units.sol";
import {Effects} from "./Effects.sol";

/// @title Leaves
/// @notice Applies effect words to one account, as the engine does.
/// @dev Mirrors `offchain.engine.accounts`. What the engine could never do, such as selling
/// collateral that is not there, is not applied but reported.
library Leaves {
    /// @dev An account has at most so many positions.
    uint256 private constant MAX_POSITIONS = 32;
    int256 private constant LOTS_LIMIT = int256(1) << 31;

    /// @notice An account while words are applied to it.
    /// @param collateralE8 As many assets as the account after the record has.
    /// @param held Filled up to `count`, ascending by instrument.
    struct Account {
        bool exists;
        address owner;
        uint8 subaccount;
        uint8 mode;
        int256 cashE6;
        int256[] collateralE8;
        Held[] held;
        uint256 count;
    }

    /// @notice A position, wide enough for sums.
    struct Held {
        uint256 instrument;
        int256 lots;
        int256 costE6;
    }

    /// @notice Reads what an opening shows.
    /// @param assets Collateral assets that a new account gets.
    function read(AccountOpening calldata opening, uint256 assets)
        internal
        pure
        returns (Account memory account)
    {
        account.held = new Held[](MAX_POSITIONS);
        if (opening.leaf.length == 0) {
            account.collateralE8 = new int256[](assets);
            return account;
        }
        AccountLeaf calldata leaf = opening.leaf[0];
        account.exists = true;
        (account.owner, account.subaccount, account.mode) = (leaf.owner, leaf.subaccount, leaf.mode);
        account.cashE6 = leaf.cashE6;
        account.collateralE8 = new int256[](leaf.collateralE8.length);
        for (uint256 a = 0; a < leaf.collateralE8.length; ++a) {
            account.collateralE8[a] = int256(uint256(leaf.collateralE8[a]));
        }
        account.count = leaf.positions.length;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position calldata position = leaf.positions[p];
            account.held[p] = Held(position.instrument, position.lots, position.costE6);
        }
    }

    /// @notice Applies all words that concern the account.
    /// @return possible False when a word cannot be applied; the account is then of no use.
    function applyAll(Account memory account, uint32 number, bytes calldata effects)
        internal
        pure
        returns (bool possible)
    {
        uint256 words = Effects.count(effects);
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = Effects.wordAt(effects, i);
            uint8 kind = Effects.kindOf(word);
            if (kind == EFFECT_SETTLE) {
                settle(account, Effects.placeOf(word), Effects.deltaOf(word));
            } else if (kind == EFFECT_ASSETS) {
                if (!extend(account, Effects.placeOf(word))) return false;
            } else if (Effects.accountOf(word) == number && !applyWord(account, kind, word)) {
                return false;
            }
        }
        return true;
    }

    /// @notice Whether the account is the one that the opening shows.
    function isSame(Account memory account, AccountOpening calldata opening)
        internal
        pure
        returns (bool)
    {
        if (opening.leaf.length == 0) return !account.exists;
        AccountLeaf calldata leaf = opening.leaf[0];
        if (
            !account.exists || account.owner != leaf.owner || account.subaccount != leaf.subaccount
                || account.mode != leaf.mode || account.cashE6 != leaf.cashE6
                || account.collateralE8.length != leaf.collateralE8.length
                || account.count != leaf.positions.length
        ) return false;
        for (uint256 a = 0; a < leaf.collateralE8.length; ++a) {
            if (account.collateralE8[a] != int256(uint256(leaf.collateralE8[a]))) return false;
        }
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position calldata position = leaf.positions[p];
            Held memory held = account.held[p];
            if (
                held.instrument != position.instrument || held.lots != position.lots
                    || held.costE6 != position.costE6
            ) return false;
        }
        return true;
    }

    /// @notice Whether a word of this kind changes every account there is, whichever it names.
    function isMovingAll(uint8 kind) internal pure returns (bool) {
        return kind == EFFECT_SETTLE || kind == EFFECT_ASSETS;
    }

    /// @notice Whether a word of this kind changes the account that it names.
    function isMoving(uint8 kind) internal pure returns (bool) {
        return kind == EFFECT_OPEN || kind == EFFECT_CASH || kind == EFFECT_COLLATERAL
            || kind == EFFECT_OUTPUT || kind == EFFECT_TRADE || kind == EFFECT_MODE;
    }

    /// @notice The leaf of an account to which words were applied; zero when there is none.
    /// @return fits False when a number is too large for a leaf, which then does not exist.
    function hashOf(Account memory account) internal pure returns (bool fits, bytes32 hash) {
        if (!account.exists) return (true, 0);
        uint256 assets = account.collateralE8.length;
        AccountLeaf memory leaf = AccountLeaf({
            owner: account.owner,
            subaccount: account.subaccount,
            mode: account.mode,
            // forge-lint: disable-next-line(unsafe-typecast): compared below.
            cashE6: int64(account.cashE6),
            collateralE8: new uint64[](assets),
            positions: new Position[](account.count)
        });
        if (leaf.cashE6 != account.cashE6) return (false, 0);
        for (uint256 a = 0; a < assets; ++a) {
            int256 held = account.collateralE8[a];
            if (held < 0 || held > int256(uint256(type(uint64).max))) return (false, 0);
            // forge-lint: disable-next-line(unsafe-typecast): just compared.
            leaf.collateralE8[a] = uint64(uint256(held));
        }
        for (uint256 p = 0; p < account.count; ++p) {
            Held memory held = account.held[p];
            // An instrument comes from 16 bits, and lots were compared when they were added.
            // forge-lint: disable-next-line(unsafe-typecast)
            leaf.positions[p] =
                Position(uint16(held.instrument), int32(held.lots), int64(held.costE6));
            if (leaf.positions[p].costE6 != held.costE6) return (false, 0);
        }
        return (true, keccak256(abi.encode(leaf)));
    }

    function applyWord(Account memory account, uint8 kind, uint256 word)
        private
        pure
        returns (bool)
    {
        if (kind == EFFECT_OPEN) return open(account, word);
        if (!isMoving(kind)) return true;
        if (!account.exists) return false;
        if (kind == EFFECT_TRADE) {
            return trade(account, Effects.placeOf(word), Effects.lotsOf(word), Effects.costOf(word));
        }
        if (kind == EFFECT_MODE) return setMode(account, Effects.placeOf(word));
        if (kind == EFFECT_CASH) return move(account, 0, Effects.deltaOf(word));
        if (kind == EFFECT_COLLATERAL) {
            uint256 asset = Effects.placeOf(word);
            return asset != 0 && move(account, asset, Effects.deltaOf(word));
        }
        return move(account, Effects.placeOf(word), -int256(uint256(Effects.amountOf(word))));
    }

    function open(Account memory account, uint256 word) private pure returns (bool) {
        uint16 subaccount = Effects.placeOf(word);
        if (account.exists || subaccount > type(uint8).max) return false;
        account.exists = true;
        account.owner = Effects.ownerOf(word);
        // forge-lint: disable-next-line(unsafe-typecast): just compared.
        account.subaccount = uint8(subaccount);
        account.mode = MODE_PORTFOLIO;
        return true;
    }

    /// @dev More collateral assets, of which nobody has any yet. No account stays none.
    function extend(Account memory account, uint256 assets) private pure returns (bool) {
        if (!account.exists) return true;
        int256[] memory held = account.collateralE8;
        if (assets <= held.length || assets > MAX_COLLATERALS) return false;
        account.collateralE8 = new int256[](assets);
        for (uint256 a = 0; a < held.length; ++a) {
            account.collateralE8[a] = held[a];
        }
        return true;
    }

    function setMode(Account memory account, uint16 mode) private pure returns (bool) {
        if (mode > MODE_PORTFOLIO) return false;
        // forge-lint: disable-next-line(unsafe-typecast): just compared.
        account.mode = uint8(mode);
        return true;
    }

    /// @dev Cash may become negative, collateral may not.
    function move(Account memory account, uint256 asset, int256 delta) private pure returns (bool) {
        if (asset == 0) {
            account.cashE6 += delta;
            return true;
        }
        if (asset > account.collateralE8.length) return false;
        int256 left = account.collateralE8[asset - 1] + delta;
        account.collateralE8[asset - 1] = left;
        return left >= 0;
    }

    /// @notice Adds to a position; one without lots turns its cost into cash, and goes.
    function trade(Account memory account, uint256 instrument, int256 lots, int256 costE6)
        internal
        pure
        returns (bool)
    {
        uint256 place = placeOf(account, instrument);
        if (place == account.count || account.held[place].instrument != instrument) {
            if (account.count == MAX_POSITIONS) return false;
            insert(account, place, instrument);
        }
        Held memory held = account.held[place];
        held.lots += lots;
        held.costE6 += costE6;
        if (held.lots != 0) return held.lots > -LOTS_LIMIT && held.lots < LOTS_LIMIT;
        account.cashE6 -= held.costE6;
        remove(account, place);
        return true;
    }

    /// @dev The position is traded to zero at the value of a lot.
    function settle(Account memory account, uint256 instrument, int256 lotValueE6) private pure {
        uint256 place = placeOf(account, instrument);
        if (place == account.count || account.held[place].instrument != instrument) return;
        int256 lots = account.held[place].lots;
        trade(account, instrument, -lots, -lots * lotValueE6);
    }

    /// @dev Where the instrument is, or would be.
    function placeOf(Account memory account, uint256 instrument)
        private
        pure
        returns (uint256 place)
    {
        while (place < account.count && account.held[place].instrument < instrument) ++place;
    }

    function insert(Account memory account, uint256 place, uint256 instrument) private pure {
        for (uint256 p = account.count; p > place; --p) {
            account.held[p] = account.held[p - 1];
        }
        account.held[place] = Held(instrument, 0, 0);
        ++account.count;
    }

    function remove(Account memory account, uint256 place) private pure {
        --account.count;
        for (uint256 p = place; p < account.count; ++p) {
            account.held[p] = account.held[p + 1];
        }
    }
}
