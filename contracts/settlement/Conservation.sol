// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {BatchHeader, Totals} from "../types/Batch.sol";
import {ExitSums} from "../types/Checkpoint.sol";

/// @title Conservation
/// @notice What the book of a batch must add up to before it becomes final.
library Conservation {
    /// @dev MAX_ASSETS of offchain/core/model_rules.py. Without an end to it the paths out of the
    /// checkpoint could grow beyond what a transaction carries.
    uint256 private constant MAX_COLLATERALS = 8;

    /// @notice SOL-1: no value appears or vanishes between the vault and the book.
    /// @param used How many collateral assets the batch, or one before it, consumed deposits of.
    function requireTotals(BatchHeader calldata header, Totals calldata totals, uint256 used)
        internal
        pure
    {
        bytes32 given = BatchHash.totalsHash(totals);
        if (given != header.totalsHash) revert ISettlement.WrongTotals(given, header.totalsHash);
        requireConserved(0, totals.netCashE6, totals.depositedCash, totals.withdrawnCash);
        uint256 assets = totals.collateralE8.length;
        if (
            assets < used || assets > MAX_COLLATERALS || totals.depositedCollateral.length != assets
                || totals.withdrawnCollateral.length != assets
        ) {
            revert ISettlement.WrongAssetCount(
                assets, totals.depositedCollateral.length, totals.withdrawnCollateral.length, used
            );
        }
        for (uint256 a = 0; a < assets; ++a) {
            requireConserved(
                a + 1,
                signed(totals.collateralE8[a]),
                totals.depositedCollateral[a],
                totals.withdrawnCollateral[a]
            );
        }
    }

    /// @notice The sums of the checkpoint, if there is one, are those of the book.
    /// @dev The profits and losses of open positions cancel out, so that what is owed to some and
    /// by others differs by the net cash. Collateral that covers debts is owed to nobody by name.
    function requireCheckpoint(
        BatchHeader calldata header,
        Totals calldata totals,
        ExitSums calldata sums,
        bytes32 exitRootHash
    ) internal pure {
        if (header.checkpointRoot == 0) return;
        bytes32 given = BatchHash.checkpointRoot(exitRootHash, sums);
        if (given != header.checkpointRoot) {
            revert ISettlement.WrongCheckpoint(given, header.checkpointRoot);
        }
        uint256 assets = totals.collateralE8.length;
        if (sums.collateralE8.length != assets) {
            revert ISettlement.WrongSumCount(sums.collateralE8.length, assets);
        }
        int256 excess = signed(sums.equityE6) - signed(sums.owedE6) - totals.netCashE6;
        if (excess != 0) revert ISettlement.CheckpointNotConserved(excess);
        for (uint256 a = 0; a < assets; ++a) {
            (uint256 sum, uint256 held) = (sums.collateralE8[a], totals.collateralE8[a]);
            if (sum > held) revert ISettlement.CheckpointExceedsBook(a + 1, sum, held);
        }
    }

    function requireConserved(uint256 asset, int256 held, uint128 deposited, uint128 withdrawn)
        private
        pure
    {
        int256 excess = held - (signed(deposited) - signed(withdrawn));
        if (excess != 0) revert ISettlement.NotConserved(asset, excess);
    }

    function signed(uint128 value) private pure returns (int256) {
        return int256(uint256(value));
    }
}
