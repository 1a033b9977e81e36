// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CASH_DEFICIT,
    CASH_DEPOSIT,
    CASH_PENALTY,
    CASH_SALE,
    CASH_TRADING_FEE,
    EFFECT_ASSETS,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_LIQUIDATION,
    EFFECT_MODE,
    EFFECT_NOOP,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SETTLE,
    EFFECT_SHORTFALL,
    EFFECT_TRADE
} from "../../../contracts/types/Trace.sol";

/// @dev Writes effect words, and the groups of words that events make, as the engine's ledger does.
library EffectWords {
    uint32 internal constant BACKSTOP = 1;

    function head(uint8 kind, uint32 account, uint16 place) private pure returns (bytes memory) {
        return abi.encodePacked(kind, account, place);
    }

    function open(uint32 account, uint16 subaccount, address owner)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            head(EFFECT_OPEN, account, subaccount), abi.encodePacked(owner, bytes5(0))
        );
    }

    function cash(uint32 account, uint16 why, int64 delta) internal pure returns (bytes memory) {
        return bytes.concat(head(EFFECT_CASH, account, why), abi.encodePacked(delta, bytes17(0)));
    }

    function collateral(uint32 account, uint16 asset, int64 delta, bool isDeposit)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            head(EFFECT_COLLATERAL, account, asset), abi.encodePacked(delta, isDeposit, bytes16(0))
        );
    }

    function trade(uint32 account, uint16 instrument, int32 lots, int64 cost, uint64 orderId)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            head(EFFECT_TRADE, account, instrument),
            abi.encodePacked(lots, cost, orderId, bytes5(0))
        );
    }

    function mode(uint32 account, uint16 mode_) internal pure returns (bytes memory) {
        return bytes.concat(head(EFFECT_MODE, account, mode_), abi.encodePacked(bytes25(0)));
    }

    function output(uint32 account, uint16 asset, uint64 amount, uint64 id)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            head(EFFECT_OUTPUT, account, asset), abi.encodePacked(amount, id, bytes9(0))
        );
    }

    function noop(uint32 account, uint16 reason) internal pure returns (bytes memory) {
        return bytes.concat(head(EFFECT_NOOP, account, reason), abi.encodePacked(bytes25(0)));
    }

    function liquidation(uint32 account, uint16 tier) internal pure returns (bytes memory) {
        return bytes.concat(head(EFFECT_LIQUIDATION, account, tier), abi.encodePacked(bytes25(0)));
    }

    function settle(uint16 instrument, int64 lotValue) internal pure returns (bytes memory) {
        return bytes.concat(
            head(EFFECT_SETTLE, uint32(0), instrument), abi.encodePacked(lotValue, bytes17(0))
        );
    }

    function shortfall(uint32 account, uint64 amount) internal pure returns (bytes memory) {
        return bytes.concat(
            head(EFFECT_SHORTFALL, account, uint16(0)), abi.encodePacked(amount, bytes17(0))
        );
    }

    function assets(uint32 account, uint16 count) internal pure returns (bytes memory) {
        return bytes.concat(head(EFFECT_ASSETS, account, count), abi.encodePacked(bytes25(0)));
    }

    function credit(uint32 account, uint16 asset, int64 amount)
        internal
        pure
        returns (bytes memory)
    {
        return asset == 0
            ? cash(account, CASH_DEPOSIT, amount)
            : collateral(account, asset, amount, true);
    }

    /// @dev A trade on the book; with a fee unless that is zero.
    function fill(
        uint32 taker,
        uint32 maker,
        uint16 instrument,
        int32 lots,
        int64 cost,
        uint64 orderId,
        int64 fee
    ) internal pure returns (bytes memory) {
        return bytes.concat(
            trade(taker, instrument, lots, cost, 0),
            trade(maker, instrument, -lots, -cost, orderId),
            toFund(taker, CASH_TRADING_FEE, fee)
        );
    }

    /// @dev The backstop takes `lots` over.
    function transfer(uint32 giver, uint16 instrument, int32 lots, int64 cost)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            trade(BACKSTOP, instrument, lots, cost, 0), trade(giver, instrument, -lots, -cost, 0)
        );
    }

    function toFund(uint32 payer, uint16 why, int64 amount) internal pure returns (bytes memory) {
        if (amount == 0) return "";
        return bytes.concat(cash(payer, why, -amount), cash(0, why, amount));
    }

    function penalty(uint32 payer, int64 amount) internal pure returns (bytes memory) {
        return toFund(payer, CASH_PENALTY, amount);
    }

    function cover(uint32 account, int64 amount) internal pure returns (bytes memory) {
        return bytes.concat(cash(account, CASH_DEFICIT, amount), cash(0, CASH_DEFICIT, -amount));
    }

    function sale(uint32 seller, uint16 asset, int64 amount, int64 proceeds)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            collateral(seller, asset, -amount, false),
            collateral(BACKSTOP, asset, amount, false),
            cash(seller, CASH_SALE, proceeds),
            cash(BACKSTOP, CASH_SALE, -proceeds)
        );
    }
}
