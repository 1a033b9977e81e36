// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Whether an account may be liquidated, from the numbers of its making alone: INV-8. Two
/// positions, one in each underlying, a collateral and cash; nothing is read from a contract.
abstract contract LiquidationGhost {
    /// @param cash [USD e-6]
    /// @param held Of the first collateral. [token e-8]
    /// @param isCommon Whether both underlyings are opened in one scenario.
    struct Holding {
        int64 cash;
        uint64 held;
        uint8[2] slots;
        int32[2] lots;
        int64[2] costs;
        bool isCommon;
        uint8 tier;
    }

    /// @dev Balance without cash. [USD e-6]
    function ghostWorth(Holding memory h, int256 btcE8) internal pure returns (int256 worth) {
        for (uint256 u = 0; u < 2; ++u) {
            int256 value = int256(80_000_000 + u * 1_000_000 + uint256(h.slots[u]) * 3331);
            worth += int256(h.lots[u]) * value - int256(h.costs[u]);
        }
        return worth + int256(ghostCredit(h.held, uint256(btcE8)));
    }

    /// @dev 20 at 85 %, the next 80 at 80 % of that, the next 400 at half of it, the rest nothing.
    function ghostCredit(uint256 held, uint256 btcE8) internal pure returns (uint256) {
        uint256 best = btcE8 * 85 / 100;
        uint256 first = held > 20e8 ? 20e8 : held;
        uint256 second = held > 100e8 ? 80e8 : held - first;
        uint256 third = held > 500e8 ? 400e8 : held - first - second;
        return (first * best + second * (best * 8 / 10) + third * (best / 2)) / 1e10;
    }

    /// @dev The share of the worst losses that must be there. [USD e-6]
    function ghostMaintenance(Holding memory h) internal pure returns (uint256) {
        uint256 lost;
        uint256 won;
        for (uint256 u = 0; u < 2; ++u) {
            int256 loss = int256(21_000_000 + u * 1_000_000 + uint256(h.slots[u]) * 777);
            int256 sum = int256(h.lots[u]) * (h.slots[u] % 2 == 0 ? loss : -loss);
            if (sum > 0) lost += uint256(sum);
            else won += uint256(-sum);
        }
        uint256 scan = up(lost * 85, 100);
        if (h.isCommon) {
            uint256 offset = won / 2 > 5_000_000e6 ? 5_000_000e6 : won / 2;
            uint256 netted = lost > offset ? lost - offset : 0;
            if (netted > scan) scan = netted;
        }
        return up(scan * 8, 10);
    }

    /// @dev The least balance at which the account is safe from a tier, in exact integers.
    function ghostTrigger(Holding memory h) internal pure returns (int256) {
        uint256 share = h.tier == 1 ? 1_050_000 : 1_000_000;
        return int256(up(ghostMaintenance(h) * share, 1_000_000));
    }

    function isLiquidatable(Holding memory h, int256 btcE8) internal pure returns (bool) {
        return int256(h.cash) + ghostWorth(h, btcE8) < ghostTrigger(h);
    }

    function up(uint256 amount, uint256 by) private pure returns (uint256) {
        return (amount + by - 1) / by;
    }
}
