// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../contracts/exit/Exit.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {BatchHeader, Totals} from "../../contracts/types/Batch.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {INBOX_DEPOSIT, InboxEntry} from "../../contracts/types/Inbox.sol";
import {CheckpointTree} from "../contracts/support/CheckpointTree.sol";
import {vm} from "../contracts/support/Vm.sol";
import {Bug, PlantedExit} from "../contracts/support/planted/PlantedCustody.sol";
import {SymbolicCustody} from "./support/SymbolicCustody.sol";

/// @dev INV-11, L-2, L-3: after a freeze nothing refuses an honest leaf or a deposit that nobody
/// consumed, whoever brings it. Two accounts of cash and one collateral, whose leaves are given; the
/// cash that the vault holds is any amount. The claims add up to powers of two: other quotients take
/// a solver days. The tests that draw leaves and amounts at random do so in full width.
abstract contract Escape is SymbolicCustody {
    uint64 private constant LAST = 7;
    address private constant OTHER = address(0x3000002);
    uint128 private constant MINE = 33;
    uint128 private constant THEIRS = 95;
    uint256 private constant BOTH = 3; // cash and the collateral, as a mask

    function setUp() public {
        deployCustody();
    }

    function refunds(address caller, address owner, uint56 units) internal {
        vm.assume(owner != address(0) && owner != address(vault) && units != 0);
        depositFor(owner, 0, units);
        books.freeze();
        InboxEntry memory entry =
            InboxEntry(INBOX_DEPOSIT, 1, uint64(block.timestamp), owner, 0, 0, units, address(0));
        uint256 before = cash.balanceOf(owner);
        must(caller, abi.encodeCall(exit.refund, (entry)));
        assert(cash.balanceOf(owner) - before == units);
    }

    /// @dev Whatever is left, and whoever goes first.
    function exits(address caller, uint56 cashHeld, uint40 tokensHeld, bool isMeFirst) internal {
        ExitLeaf[] memory leaves = new ExitLeaf[](2);
        leaves[0] = leafOf(0, ME, MINE, 7);
        leaves[1] = leafOf(1, OTHER, THEIRS, 57);
        start(leaves, cashHeld, tokensHeld);
        uint256 first = isMeFirst ? 0 : 1;
        leaveFor(caller, leaves, first);
        leaveFor(caller, leaves, 1 - first);
        if (cashHeld < uint256(MINE) + THEIRS) return;
        assert(cash.balanceOf(ME) == MINE && cash.balanceOf(OTHER) == THEIRS);
    }

    function leaveFor(address caller, ExitLeaf[] memory leaves, uint256 place) private {
        bytes memory path = CheckpointTree.path(leaves, place);
        must(caller, abi.encodeCall(exit.exit, (leaves[place], path, BOTH)));
    }

    function start(ExitLeaf[] memory leaves, uint128 inE6, uint128 inE8) private {
        vm.assume(inE6 != 0 && inE8 != 0);
        depositFor(ME, 0, inE6);
        depositFor(ME, 1, inE8);
        Totals memory totals;
        totals.depositedCash = inE6;
        totals.collateralE8 = listOf(inE8);
        totals.depositedCollateral = listOf(inE8);
        totals.withdrawnCollateral = listOf(0);
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        BatchHeader memory header;
        header.batchNo = LAST;
        header.checkpointRoot = CheckpointTree.checkpointRoot(root);
        header.totalsHash = keccak256(abi.encode(totals));
        bytes32 hash = keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, header));
        books.setFinal(LAST, hash, header.checkpointRoot, 2);
        books.freeze();
        exit.start(header, totals, CheckpointTree.sumsOf(root), root.hash);
    }

    function must(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool isDone,) = EXIT_AT.call(data);
        assert(isDone);
    }

    function leafOf(uint32 account, address owner, uint128 equityE6, uint128 heldE8)
        private
        pure
        returns (ExitLeaf memory)
    {
        return ExitLeaf(account, owner, 0, equityE6, 0, 0, listOf(heldE8));
    }

    function listOf(uint128 value) private pure returns (uint128[] memory list) {
        list = new uint128[](1);
        list[0] = value;
    }
}

contract EscapeSymbolic is Escape {
    function check_a_refund_cannot_be_refused(address caller, address owner, uint56 units) public {
        refunds(caller, owner, units);
    }

    /// @dev Too little, enough, or more than all are owed.
    function check_an_honest_leaf_cannot_be_refused(address caller, uint56 held, bool isMeFirst)
        public
    {
        exits(caller, held, 97, isMeFirst);
    }

    /// @dev Collateral that is left is shared by equity.
    function check_an_honest_leaf_of_collateral_cannot_be_refused(
        address caller,
        bool isShort,
        bool isMeFirst
    ) public {
        exits(caller, 200, isShort ? 41 : 97, isMeFirst);
    }
}

/// @dev A unit too much for the first, and the last one stands before an empty vault.
contract EscapePlanted is Escape {
    function newExit() internal override returns (Exit) {
        return new PlantedExit(Bug.ROUNDS_UP, address(vault), INBOX_AT, settlementAt());
    }

    function check_an_honest_leaf_cannot_be_refused(address caller, uint56 held) public {
        exits(caller, held, 97, true);
    }
}
