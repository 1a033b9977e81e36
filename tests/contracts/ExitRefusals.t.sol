// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Exit} from "../../contracts/exit/Exit.sol";
import {IExit} from "../../contracts/interfaces/IExit.sol";
import {ExitLeaf, ExitSums} from "../../contracts/types/Checkpoint.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {ExitRig} from "./support/ExitRig.sol";
import {BlockingToken, PlainToken, ReentrantToken} from "./support/HostileTokens.sol";
import {vm} from "./support/Vm.sol";

/// @dev Whom the exit does not pay, and that one who cannot be paid stops nobody else. C-6.
contract ExitRefusalsTest is ExitRig {
    function setUp() public {
        deployExit();
        addLeaf(100, 0, 0, 9);
        addLeaf(50, 0, 0, 4);
        fundLeaves(0, 0, 0);
        finalise();
    }

    function _sums() private view returns (ExitSums memory sums, bytes32 rootHash) {
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        return (CheckpointTree.sumsOf(root), root.hash);
    }

    function _started() private {
        books.freeze();
        startExits();
    }

    // --- start ---

    function test_RevertWhen_the_venue_lives() public {
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        vm.expectRevert(IExit.NotFrozen.selector);
        exit.start(header, totals, sums, rootHash);
        InboxEntry memory late = depositLate(0, 5);
        vm.expectRevert(IExit.NotFrozen.selector);
        exit.refund(late);
    }

    function test_RevertWhen_the_terms_are_fixed_already() public {
        _started();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        vm.expectRevert(IExit.AlreadyStarted.selector);
        exit.start(header, totals, sums, rootHash);
    }

    function test_RevertWhen_no_checkpoint_ever_became_final() public {
        books.setFinal(0, 0, 0, 0);
        books.freeze();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        vm.expectRevert(IExit.NoCheckpoint.selector);
        exit.start(header, totals, sums, rootHash);
    }

    function test_RevertWhen_the_header_is_another() public {
        books.freeze();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        bytes32 right = hashOf(header);
        header.stateRoot = keccak256("another");
        bytes4 refusal = IExit.WrongCheckpoint.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, LAST, hashOf(header), right));
        exit.start(header, totals, sums, rootHash);
    }

    function test_RevertWhen_the_totals_are_others() public {
        books.freeze();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        totals.depositedCash += 1;
        bytes32 given = keccak256(abi.encode(totals));
        bytes4 refusal = IExit.WrongTotals.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, given, header.totalsHash));
        exit.start(header, totals, sums, rootHash);
    }

    function test_RevertWhen_the_sums_are_others() public {
        books.freeze();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        sums.equityE6 -= 1;
        vm.expectPartialRevert(IExit.WrongRoot.selector);
        exit.start(header, totals, sums, rootHash);
    }

    function test_RevertWhen_totals_and_sums_speak_of_different_assets() public {
        bytes4 refusal = IExit.WrongAssetCount.selector;
        books.freeze();
        (ExitSums memory sums, bytes32 rootHash) = _sums();
        for (uint256 which = 0; which < 3; ++which) {
            totals.collateralE8 = new uint128[](which == 0 ? 2 : 1);
            totals.depositedCollateral = new uint128[](which == 1 ? 0 : 1);
            totals.withdrawnCollateral = new uint128[](which == 2 ? 2 : 1);
            header.totalsHash = keccak256(abi.encode(totals));
            books.setFinal(LAST, hashOf(header), header.checkpointRoot, 0);
            vm.expectRevert(
                abi.encodeWithSelector(
                    refusal,
                    totals.collateralE8.length,
                    totals.depositedCollateral.length,
                    totals.withdrawnCollateral.length,
                    1
                )
            );
            exit.start(header, totals, sums, rootHash);
        }
    }

    // --- exit ---

    function test_RevertWhen_exits_have_not_started() public {
        books.freeze();
        vm.expectRevert(IExit.NotStarted.selector);
        this.exitAs(0, BOTH);
    }

    function test_RevertWhen_an_account_exits_twice() public {
        _started();
        exitFor(0, 1);
        bytes4 refusal = IExit.AlreadyExited.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 1));
        this.exitAs(0, 1);
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 1));
        this.exitAs(0, BOTH);
        exitFor(0, 2);
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 2));
        this.exitAs(0, 2);
    }

    function test_RevertWhen_no_asset_or_one_that_the_leaf_lacks_is_asked_for() public {
        _started();
        bytes4 refusal = IExit.WrongAssets.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 2));
        this.exitAs(0, 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 5, 2));
        this.exitAs(0, 5);
    }

    function testFuzz_a_changed_leaf_is_not_paid(uint8 field, uint64 by) public {
        _started();
        vm.assume(by != 0);
        ExitLeaf memory leaf = leaves[0];
        bytes memory path = CheckpointTree.path(leaves, 0);
        uint256 which = field % 7;
        if (which == 0) leaf.account ^= uint32(1 + by % (2 ** 20 - 1));
        if (which == 1) leaf.owner = address(uint160(leaf.owner) ^ by);
        if (which == 2) leaf.subaccount ^= uint8(1 + by % 255);
        if (which == 3) leaf.equityE6 ^= by;
        if (which == 4) leaf.owedE6 ^= by;
        if (which == 5) leaf.debtE6 ^= by;
        if (which == 6) leaf.collateralE8[0] ^= by;
        vm.expectPartialRevert(IExit.WrongRoot.selector);
        exit.exit(leaf, path, 1);
    }

    function exitAs(uint256 account, uint256 assets) external {
        exitFor(account, assets);
    }

    // --- refunds ---

    function test_RevertWhen_a_deposit_is_refunded_twice() public {
        InboxEntry memory late = depositLate(0, 5);
        books.freeze();
        vm.expectEmit(address(exit));
        emit IExit.Refunded(late.index, LATE, 0, 5);
        exit.refund(late);
        vm.assertTrue(exit.isRefunded(late.index));
        vm.assertEq(exit.refundedTotal(0), 5);
        vm.expectRevert(abi.encodeWithSelector(IExit.AlreadyRefunded.selector, late.index));
        exit.refund(late);
    }

    function test_RevertWhen_a_final_batch_consumed_the_deposit() public {
        InboxEntry memory late = depositLate(0, 5);
        books.setFinal(LAST, hashOf(header), header.checkpointRoot, late.index);
        books.freeze();
        vm.expectRevert(abi.encodeWithSelector(IExit.Consumed.selector, late.index, late.index));
        exit.refund(late);
    }

    function test_RevertWhen_an_entry_is_no_deposit_or_another() public {
        bytes4 refusal = IExit.NotADeposit.selector;
        InboxEntry memory late = depositLate(0, 5);
        vm.prank(LATE);
        inbox.forceWithdraw(0, 0, 5);
        InboxEntry memory forced =
            InboxEntry(2, late.index + 1, uint64(START), LATE, 0, 0, 5, address(0));
        vm.assertTrue(inbox.isEntry(forced));
        books.freeze();
        vm.expectRevert(abi.encodeWithSelector(refusal, forced.index));
        exit.refund(forced);
        late.amount += 1;
        vm.expectRevert(abi.encodeWithSelector(refusal, late.index));
        exit.refund(late);
    }

    function test_everything_is_refunded_when_there_never_was_a_checkpoint() public {
        books.setFinal(0, 0, 0, 0);
        books.freeze();
        uint64 time = uint64(START);
        exit.refund(InboxEntry(1, 1, time, ownerAt(0), 0, 0, 150, address(0)));
        exit.refund(InboxEntry(1, 2, time, ownerAt(0), 0, 1, 13, address(0)));
        assertPaid(0, 150, 13);
    }

    function test_RevertWhen_an_address_is_missing() public {
        address some = address(vault);
        vm.expectRevert(IExit.ZeroAddress.selector);
        new Exit(address(0), some, some);
        vm.expectRevert(IExit.ZeroAddress.selector);
        new Exit(some, address(0), some);
        vm.expectRevert(IExit.ZeroAddress.selector);
        new Exit(some, some, address(0));
    }
}

/// @dev Tokens that refuse or call back in the middle of an exit.
contract ExitTokensTest is ExitRig {
    function _with(PlainToken first) private {
        (cash, collateral) = (first, new PlainToken(8));
        deployVault(both(address(cash), address(collateral)));
        addLeaf(100, 0, 0, 9);
        addLeaf(50, 0, 0, 4);
        addLeaf(1, 0, 0, 0);
        fundLeaves(0, 0, 0);
        finalise();
        books.freeze();
        startExits();
    }

    function test_a_token_that_refuses_one_owner_keeps_back_only_that() public {
        BlockingToken token = new BlockingToken();
        _with(token);
        token.setOutcast(ownerAt(0));
        bytes memory path = CheckpointTree.path(leaves, 0);
        vm.expectRevert("outcast");
        exit.exit(leaves[0], path, BOTH);
        exitFor(0, 2);
        exitFor(1, BOTH);
        assertPaid(0, 0, 9);
        assertPaid(1, 50, 4);
        token.setOutcast(address(0));
        exitFor(0, 1);
        assertPaid(0, 100, 9);
    }

    function test_a_token_cannot_exit_or_refund_from_inside_an_exit() public {
        ReentrantToken token = new ReentrantToken();
        _with(token);
        InboxEntry memory entry;
        bytes[3] memory calls = [
            abi.encodeCall(exit.exit, (leaves[1], CheckpointTree.path(leaves, 1), 2)),
            abi.encodeCall(exit.refund, (entry)),
            abi.encodeWithSelector(
                exit.start.selector,
                header,
                totals,
                CheckpointTree.sumsOf(CheckpointTree.root(leaves)),
                bytes32(0)
            )
        ];
        for (uint256 i = 0; i < 3; ++i) {
            token.arm(address(exit), calls[i]);
            exitFor(i, 1);
            vm.assertFalse(token.entered());
            bytes4 refusal = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
            vm.assertEq(bytes32(token.failure()), bytes32(refusal));
        }
    }
}
