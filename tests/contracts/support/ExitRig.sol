// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {BatchHeader, Totals} from "../../../contracts/types/Batch.sol";
import {ExitLeaf, ExitSums} from "../../../contracts/types/Checkpoint.sol";
import {INBOX_DEPOSIT, InboxEntry} from "../../../contracts/types/Inbox.sol";
import {CheckpointTree} from "./CheckpointTree.sol";
import {PlainToken} from "./HostileTokens.sol";
import {VaultRig} from "./VaultRig.sol";
import {vm} from "./Vm.sol";

/// @dev A vault, a checkpoint over a few accounts of cash and one collateral, and the freeze.
abstract contract ExitRig is VaultRig {
    uint64 internal constant LAST = 7; // number of the checkpoint's batch
    address internal constant OUTPUT_OWNER = address(0x0a7);
    address internal constant LATE = address(0x1a7e);
    uint256 internal constant BOTH = 3; // cash and the collateral, as a mask

    PlainToken internal cash;
    PlainToken internal collateral;
    ExitLeaf[] internal leaves;
    Totals internal totals;
    BatchHeader internal header;

    function deployExit() internal {
        (cash, collateral) = (new PlainToken(6), new PlainToken(8));
        deployVault(both(address(cash), address(collateral)));
        totals.collateralE8 = [0];
        totals.depositedCollateral = [0];
        totals.withdrawnCollateral = [0];
    }

    function ownerAt(uint256 account) internal pure returns (address) {
        return address(uint160(0xace000 + account));
    }

    function addLeaf(uint128 equityE6, uint128 owedE6, uint128 debtE6, uint128 heldE8) internal {
        uint256 account = leaves.length;
        uint128[] memory held = new uint128[](1);
        held[0] = heldE8;
        leaves.push(ExitLeaf(uint32(account), ownerAt(account), 0, equityE6, owedE6, debtE6, held));
    }

    /// @dev Brings in what the leaves, outputs to come and collateral that paid debts add up to.
    function fundLeaves(uint128 outputsE6, uint128 outputsE8, uint128 surplusE8) internal {
        ExitSums memory sums = CheckpointTree.sumsOf(CheckpointTree.root(leaves));
        uint128 inE6 = sums.equityE6 - sums.owedE6 + outputsE6;
        uint128 inE8 = sums.collateralE8[0] + surplusE8 + outputsE8;
        if (inE6 != 0) depositFor(0, ownerAt(0), 0, inE6);
        if (inE8 != 0) depositFor(1, ownerAt(0), 0, inE8);
        (totals.depositedCash, totals.withdrawnCash) = (inE6, outputsE6);
        totals.depositedCollateral = [inE8];
        totals.withdrawnCollateral = [outputsE8];
        totals.collateralE8 = [inE8 - outputsE8];
    }

    /// @dev Makes the batch of these leaves the last final one; every deposit so far is in it.
    function finalise() internal {
        header.schema = 2;
        header.batchNo = LAST;
        header.checkpointRoot = CheckpointTree.checkpointRoot(CheckpointTree.root(leaves));
        header.totalsHash = keccak256(abi.encode(totals));
        books.setFinal(LAST, hashOf(header), header.checkpointRoot, inbox.count());
    }

    function hashOf(BatchHeader memory given) internal pure returns (bytes32) {
        return keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, given));
    }

    function startExits() internal {
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        exit.start(header, totals, CheckpointTree.sumsOf(root), root.hash);
    }

    function exitFor(uint256 account, uint256 assets) internal {
        bytes memory path = CheckpointTree.path(leaves, account);
        exit.exit(leaves[account], path, assets);
    }

    /// @dev A deposit after the checkpoint, and the entry that it became.
    function depositLate(uint8 asset, uint128 amount) internal returns (InboxEntry memory) {
        uint64 index = depositFor(asset, LATE, 0, amount);
        return InboxEntry(
            INBOX_DEPOSIT, index, uint64(block.timestamp), LATE, 0, asset, amount, address(0)
        );
    }

    function assertPaid(uint256 account, uint256 cashE6, uint256 heldE8) internal view {
        vm.assertEq(cash.balanceOf(ownerAt(account)), cashE6);
        vm.assertEq(collateral.balanceOf(ownerAt(account)), heldE8);
    }
}
