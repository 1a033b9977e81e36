// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../../contracts/challenge/Court.sol";
import {ICourt} from "../../../contracts/interfaces/ICourt.sol";
import {BatchHeader, BatchStatus} from "../../../contracts/types/Batch.sol";
import {ExitLeaf, ExitSums} from "../../../contracts/types/Checkpoint.sol";
import {CheckpointTree} from "./CheckpointTree.sol";
import {SettlementRig} from "./SettlementRig.sol";
import {vm} from "./Vm.sol";

/// @dev The real court above the real settlement, and batches whose checkpoints have leaves.
abstract contract DemandRig is SettlementRig {
    uint256 internal constant BOND = 100e6;
    uint64 internal constant REVEAL = 30;
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    address internal constant OPERATOR = address(0x09e7a707);
    uint256 internal constant ACCOUNTS = 5;

    Court internal demands = Court(COURT);

    function deployDemands() internal {
        deployRig();
        vm.etch(COURT, address(newCourt()).code);
        for (uint160 i = 0; i < 2; ++i) {
            address challenger = i == 0 ? ALICE : BOB;
            cash.mint(challenger, 30 * BOND);
            vm.prank(challenger);
            cash.approve(COURT, 30 * BOND);
        }
        ExitSums memory owed = CheckpointTree.sumsOf(CheckpointTree.root(leaves()));
        totals.netCashE6 = int128(owed.equityE6) - int128(owed.owedE6);
        totals.depositedCash = owed.equityE6 - owed.owedE6;
        holdCollateral(owed.collateralE8[0], owed.collateralE8[0], 0);
    }

    function newCourt() private returns (Court) {
        ICourt.Config memory config = ICourt.Config({
            cash: address(cash),
            settlement: address(settlement),
            registry: address(registry),
            insuranceFund: address(insurance),
            governor: address(this),
            bondE6: BOND,
            revealWindow: REVEAL
        });
        return new Court(config, new uint8[](0), new address[](0));
    }

    function leaves() internal pure returns (ExitLeaf[] memory all) {
        return leavesOf(ACCOUNTS);
    }

    function leavesOf(uint256 count) internal pure returns (ExitLeaf[] memory all) {
        all = new ExitLeaf[](count);
        for (uint32 i = 0; i < count; ++i) {
            all[i] = emptyLeaf(i);
            (all[i].owner, all[i].subaccount) = (address(0xacc + uint160(i)), 1);
            if (i % 3 == 2) (all[i].owedE6, all[i].debtE6) = (2e6, 1e6);
            else all[i].equityE6 = 10e6 + i;
            all[i].collateralE8[0] = 1e8 + i;
        }
    }

    function emptyLeaf(uint32 account) internal pure returns (ExitLeaf memory leaf) {
        leaf.account = account;
        leaf.collateralE8 = new uint128[](1);
    }

    /// @dev Commits a batch over these leaves.
    function committed(ExitLeaf[] memory all) internal returns (BatchHeader memory) {
        return committed(CheckpointTree.checkpointRoot(CheckpointTree.root(all)));
    }

    function committed(bytes32 checkpointRoot) internal returns (BatchHeader memory header) {
        header = nextHeader();
        header.checkpointRoot = checkpointRoot;
        commit(header);
    }

    function demanded(address challenger, BatchHeader memory header, uint32 account)
        internal
        returns (bytes32)
    {
        vm.prank(challenger);
        return demands.demand(header, account);
    }

    function answerLeaf(bytes32 id, BatchHeader memory header, uint32 account) internal {
        ExitLeaf[] memory all = leaves();
        vm.prank(OPERATOR);
        demands.answer(id, header, all[account], false, CheckpointTree.path(all, account));
    }

    function assertStatus(uint64 batchNo, BatchStatus expected) internal view {
        vm.assertEq(uint256(settlement.statusOf(batchNo)), uint256(expected));
    }
}
