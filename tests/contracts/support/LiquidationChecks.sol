// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LiquidationVenue} from "./LiquidationVenue.sol";
import {vm} from "./Vm.sol";

/// @dev Demands of a verification, and its answer from first principles.
abstract contract LiquidationChecks is LiquidationVenue {
    function expect(Case memory c, bytes memory reason) internal {
        vm.expectRevert(reason);
        verify(c);
    }

    function expect(Case memory c, bytes4 selector) internal {
        vm.expectPartialRevert(selector);
        verify(c);
    }

    /// @dev Margins of a case as docs/COMMITMENTS.md states them, from the column formulas.
    function byHand(Case memory c) internal pure returns (int256 balance, uint256 maintenance) {
        balance = c.witness.leaf.cashE6;
        int256[2] memory losses;
        for (uint256 i = 0; i < c.witness.leaf.positions.length; ++i) {
            int256 lots = c.witness.leaf.positions[i].lots;
            uint256 u = c.witness.leaf.positions[i].instrument / 256;
            uint256 slot = c.witness.leaf.positions[i].instrument % 256;
            balance += lots * int256(80e6 + u * 1e6 + slot * 3331);
            balance -= c.witness.leaf.positions[i].costE6;
            int256 loss = int256(21e6 + u * 1e6 + slot * 777);
            losses[u] += lots * (slot % 2 == 0 ? loss : -loss);
        }
        uint256 priceE8 = uint256(uint64(BTC_E8)) * 850_000 / 1e6;
        balance += int256(c.witness.leaf.collateralE8[0] * priceE8 / 1e10);
        uint256 scan = uint256(losses[0] > 0 ? losses[0] : int256(0))
            + uint256(losses[1] > 0 ? losses[1] : int256(0));
        // The scenarios differ, unless there is only one.
        if (c.witness.columns.length == 2) scan = (scan * 850_000 + 999_999) / 1e6;
        maintenance = (scan * 800_000 + 999_999) / 1e6;
    }
}
