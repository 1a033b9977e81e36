// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IExit} from "../../contracts/interfaces/IExit.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {ExitLeaf, ExitSums} from "../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {ExitRig} from "./support/ExitRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev What it costs to force and to leave: whole transactions with cold storage, calldata and
/// intrinsic gas. `scripts/gas_snapshot.py` notices growth; the goals must never be passed.
contract CustodyGasTest is ExitRig {
    /// @dev The goal of `forced.gas`.
    uint256 private constant FORCED = 100_000;

    /// @dev The goal of `exit.gas`: cash, with a full path.
    uint256 private constant EXIT = 150_000;

    /// @dev Cash and a collateral at once.
    uint256 private constant EXIT_BOTH = 200_000;
    uint256 private constant REFUND = 150_000;
    uint256 private constant DEPOSIT = 200_000;

    uint256 private constant INTRINSIC = 21_000;

    /// @dev The target of a transaction is warm from the start; in a test it is cold.
    uint256 private constant COLD_TARGET = 2500;

    address private constant ALICE = address(0xA11cea11CEA11CEA11cEa11CeA11ceA11CEA11Ce);
    address private constant KEY = address(0x4e14e14e14E14e14e14E14E14e14e14E14e14e14);

    function setUp() public {
        deployExit();
        // What only the first call ever pays is paid.
        vm.prank(address(0xf1257));
        inbox.forceCancelAll(0);
    }

    // --- forced operations ---

    function test_forced_operations_stay_below_their_goal() public {
        _forced("withdraw", abi.encodeCall(IInbox.forceWithdraw, (1, 1, type(uint128).max)));
        _forced("cancel_all", abi.encodeCall(IInbox.forceCancelAll, (1)));
        _forced("close", abi.encodeCall(IInbox.forceClose, (1, 0x0102, type(uint128).max)));
        _forced("grant_key", abi.encodeCall(IInbox.grantKey, (KEY, uint64(START + 30 days))));
        _forced("revoke_key", abi.encodeCall(IInbox.revokeKey, (KEY)));
        _forced("revoke_all", abi.encodeCall(IInbox.revokeKey, (address(0))));
    }

    /// @dev The fourth needs a new word: the dearest after the first.
    function test_revoking_all_again_and_again_stays_below_the_goal() public {
        vm.startPrank(ALICE);
        for (uint256 i = 0; i < 3; ++i) {
            inbox.revokeKey(address(0));
        }
        vm.stopPrank();
        _forced("revoke_all.fourth", abi.encodeCall(IInbox.revokeKey, (address(0))));
    }

    function _forced(string memory what, bytes memory input) private {
        uint256 used = _measured(ALICE, address(inbox), input);
        vm.snapshotValue("custody", string.concat("forced.", what), used);
        vm.assertLe(used, FORCED);
    }

    // --- deposits ---

    function test_a_deposit_stays_below_its_ceiling() public {
        depositFor(0, ALICE, 0, 1e6);
        cash.mint(ALICE, 1e6);
        vm.prank(ALICE);
        cash.approve(address(vault), 1e6);
        uint256 used =
            _measured(ALICE, address(vault), abi.encodeCall(vault.deposit, (0, 1e6, ALICE, 0)));
        vm.snapshotValue("custody", "deposit", used);
        vm.assertLe(used, DEPOSIT);
    }

    // --- the way out ---

    function test_an_exit_stays_below_its_goal() public {
        (ExitLeaf memory leaf, bytes memory path) = _crowded();
        bytes memory input = abi.encodeCall(IExit.exit, (leaf, path, 1));
        uint256 used = _measured(ALICE, address(exit), input);
        vm.assertEq(cash.balanceOf(leaf.owner), leaf.equityE6);
        vm.snapshotValue("custody", "exit.cash", used);
        vm.assertLe(used, EXIT);
    }

    function test_an_exit_of_two_assets_stays_below_its_ceiling() public {
        (ExitLeaf memory leaf, bytes memory path) = _crowded();
        bytes memory input = abi.encodeCall(IExit.exit, (leaf, path, BOTH));
        uint256 used = _measured(ALICE, address(exit), input);
        vm.assertEq(collateral.balanceOf(leaf.owner), leaf.collateralE8[0]);
        vm.snapshotValue("custody", "exit.two", used);
        vm.assertLe(used, EXIT_BOTH);
    }

    function test_a_refund_stays_below_its_ceiling() public {
        addLeaf(1e12, 0, 0, 0);
        fundLeaves(0, 0, 0);
        finalise();
        InboxEntry memory late = depositLate(0, 1e12);
        books.freeze();
        bytes memory input = abi.encodeCall(IExit.refund, (late));
        uint256 used = _measured(ALICE, address(exit), input);
        vm.snapshotValue("custody", "refund", used);
        vm.assertLe(used, REFUND);
    }

    /// @dev A leaf in a tree that is full at every level, of a venue with billions in it.
    function _crowded() private returns (ExitLeaf memory leaf, bytes memory path) {
        uint128[] memory held = new uint128[](1);
        held[0] = 123_456_789_012;
        uint32 account = 0xaaaaa;
        leaf = ExitLeaf(
            account, address(uint160(uint256(keccak256("owner")))), 3, 987_654_321_098, 0, 0, held
        );
        CheckpointTree.Node memory node = CheckpointTree.leafNode(leaf);
        for (uint256 level = 0; level < 20; ++level) {
            CheckpointTree.Node memory sibling = CheckpointTree.empty(4);
            sibling.hash = keccak256(abi.encode(level));
            sibling.sums[0] = uint128(9_876_543_210 << level);
            sibling.sums[1] = uint128(8_765_432_109 << level);
            sibling.sums[2] = uint128(7_654_321 << level);
            sibling.sums[3] = uint128(912_345 << level);
            path = bytes.concat(path, CheckpointTree.wordsOf(sibling));
            node = account >> level & 1 == 0
                ? CheckpointTree.parent(node, sibling)
                : CheckpointTree.parent(sibling, node);
        }
        _freezeAt(node);
    }

    /// @dev Everybody's equity is there, by deposits of the largest size.
    function _freezeAt(CheckpointTree.Node memory root) private {
        ExitSums memory sums = CheckpointTree.sumsOf(root);
        uint256 inE6 = sums.equityE6;
        while (inE6 != 0) {
            uint256 part = inE6 < 2 ** 56 ? inE6 : 2 ** 56 - 1;
            depositFor(0, ALICE, 0, part);
            inE6 -= part;
        }
        uint256 inE8 = sums.collateralE8[0];
        while (inE8 != 0) {
            uint256 part = inE8 < 2 ** 40 ? inE8 : 2 ** 40 - 1;
            depositFor(1, ALICE, 0, part);
            inE8 -= part;
        }
        totals.depositedCash = sums.equityE6;
        totals.depositedCollateral = [sums.collateralE8[0]];
        totals.collateralE8 = [sums.collateralE8[0]];
        header.schema = 2;
        header.batchNo = LAST;
        header.checkpointRoot = CheckpointTree.checkpointRoot(root);
        header.totalsHash = keccak256(abi.encode(totals));
        books.setFinal(LAST, hashOf(header), header.checkpointRoot, inbox.count());
        books.freeze();
        exit.start(header, totals, sums, root.hash);
    }

    function _measured(address sender, address target, bytes memory input)
        private
        returns (uint256)
    {
        address[6] memory all = [
            address(vault),
            address(inbox),
            address(exit),
            address(books),
            address(cash),
            address(collateral)
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            vm.cool(all[i]);
        }
        vm.cool(address(limits));
        vm.prank(sender, sender);
        uint256 before = gasleft();
        (bool done,) = target.call(input);
        uint256 used = before - gasleft();
        vm.assertTrue(done);
        return _transactionGas(input, used - COLD_TARGET);
    }

    /// @dev EIP-2028: 4 for a zero byte of calldata, 16 for another. EIP-7623: in all at least 10
    /// and 40.
    function _transactionGas(bytes memory input, uint256 execution) private pure returns (uint256) {
        uint256 standard = 0;
        uint256 floor = 0;
        for (uint256 i = 0; i < input.length; ++i) {
            standard += input[i] == 0 ? 4 : 16;
            floor += input[i] == 0 ? 10 : 40;
        }
        uint256 used = standard + execution;
        return INTRINSIC + (used > floor ? used : floor);
    }
}
