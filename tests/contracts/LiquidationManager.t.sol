// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILiquidationManager} from "../../contracts/interfaces/ILiquidationManager.sol";
import {Legs} from "../../contracts/libraries/Legs.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {BatchStatus} from "../../contracts/types/Batch.sol";
import {ColumnOpening, Leg, Terms} from "../../contracts/types/Liquidation.sol";
import {Grace} from "../../contracts/types/OracleUse.sol";
import {LiquidationChecks} from "./support/LiquidationChecks.sol";
import {vm} from "./support/Vm.sol";

/// @dev The library alone, as a slow twin of what a verification answers.
contract MarginOf {
    function ofCase(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        bytes calldata collateral,
        bytes calldata curves,
        Terms calldata terms
    ) external pure returns (int256, uint256) {
        return Margin.ofAccount(leaf, columns, collateral, curves, terms);
    }
}

/// @dev INV-8, C-6, K-1. Cases are changed before `seal` to tell a consistent lie, and after it to contradict what
/// was committed.
contract LiquidationManagerTest is LiquidationChecks {
    event LiquidationVerified(
        uint64 indexed batchNo,
        uint32 indexed index,
        uint32 indexed account,
        uint8 tier,
        address keeper,
        int256 marginBalanceE6,
        uint256 maintenanceE6,
        uint64 paidE6
    );

    function setUp() public {
        deployVenue();
    }

    // What is right is verified.

    function test_a_full_liquidation_is_verified_counted_and_paid() public {
        Case memory c = fullCase(8);
        seal(c);
        (int256 balance, uint256 maintenance) = byHand(c);
        vm.expectEmit(address(manager));
        emit LiquidationVerified(
            1, 9, ACCOUNT, 2, address(this), balance, maintenance, KEEPER_FEE_E6
        );
        (int256 given, uint256 required) = verify(c);
        vm.assertEq(given, balance);
        vm.assertEq(required, maintenance);
        vm.assertEq(manager.verifiedCount(hasher.hash(c.header)), 1);
        vm.assertTrue(manager.isVerified(hasher.hash(c.header), 9));
        vm.assertFalse(manager.isVerified(hasher.hash(c.header), 8));
        vm.assertEq(credited(c, address(this)), KEEPER_FEE_E6);
    }

    function test_a_partial_liquidation_is_verified() public {
        Case memory c = partialCase(3);
        seal(c);
        verify(c);
        vm.assertEq(manager.verifiedCount(hasher.hash(c.header)), 1);
    }

    function test_a_debt_without_positions_is_verified() public {
        Case memory c = fullCase(0);
        c.witness.leaf.cashE6 = -1000e6;
        seal(c);
        (int256 balance, uint256 maintenance) = verify(c);
        vm.assertTrue(balance < 0);
        vm.assertEq(maintenance, 0);
    }

    function test_only_the_underlyings_held_are_opened() public {
        Case memory c = fullCase(1);
        seal(c);
        verify(c);
    }

    function test_anyone_may_verify_and_is_paid() public {
        Case memory c = fullCase(2);
        seal(c);
        vm.prank(address(0xCAFE));
        verify(c);
        vm.assertEq(credited(c, address(0xCAFE)), KEEPER_FEE_E6);
    }

    function test_a_poor_fund_pays_what_it_has() public {
        Terms memory t = terms();
        t.keeperFeeE6 = 4000e6;
        parameters.adopt(t, keccak256(curves()), LISTING_ROOT, DOCUMENT_HASH);
        Case memory c = fullCase(2);
        seal(c);
        verify(c);
        vm.assertEq(credited(c, address(this)), 1000e6);
    }

    function test_a_batch_stays_verifiable_when_parameters_change() public {
        Case memory c = fullCase(2);
        seal(c);
        Terms memory t = terms();
        t.mmFactorE6 = 1;
        t.keeperFeeE6 = 1;
        parameters.adopt(t, keccak256(curves()), LISTING_ROOT, DOCUMENT_HASH);
        verify(c);
        vm.assertEq(credited(c, address(this)), KEEPER_FEE_E6);
    }

    function test_places_are_flagged_apart_across_words() public {
        uint32[5] memory places = [uint32(0), 223, 224, 479, 480];
        for (uint256 i = 0; i < places.length; ++i) {
            Case memory c = fullCase(1);
            c.witness.index = places[i];
            seal(c);
            verify(c);
            uint64 batchNo = uint64(i + 1);
            bytes32 hash = hasher.hash(c.header);
            vm.assertEq(manager.verifiedCount(hash), 1);
            vm.assertTrue(manager.isVerified(hash, places[i]));
            vm.assertFalse(manager.isVerified(hash, places[i] + 1));
            expect(
                c,
                abi.encodeWithSelector(
                    ILiquidationManager.AlreadyVerified.selector, batchNo, places[i]
                )
            );
        }
    }

    function test_the_trigger_of_each_tier_is_exact() public {
        Case memory c = fullCase(2);
        (int256 balance, uint256 maintenance) = byHand(c);
        // Cash that puts the margin ratio exactly on the full trigger, 100 %.
        int64 onTrigger = c.witness.leaf.cashE6 + int64(int256(maintenance) - balance);
        c.witness.leaf.cashE6 = onTrigger;
        seal(c);
        expect(
            c,
            abi.encodeWithSelector(
                ILiquidationManager.NotLiquidatable.selector, maintenance, maintenance, 1_000_000
            )
        );
        Case memory below = fullCase(2);
        below.witness.leaf.cashE6 = onTrigger - 1;
        seal(below);
        verify(below);
        Case memory step = partialCase(2);
        step.witness.leaf.cashE6 = onTrigger;
        seal(step);
        verify(step);
    }

    // What contradicts the commitment is refused.

    function test_an_instruction_is_verified_once() public {
        Case memory c = fullCase(2);
        seal(c);
        verify(c);
        expect(c, abi.encodeWithSelector(ILiquidationManager.AlreadyVerified.selector, 1, 9));
        vm.assertEq(manager.verifiedCount(hasher.hash(c.header)), 1);
    }

    function test_a_batch_that_was_not_committed_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.header.batchNo = 2;
        expect(
            c,
            abi.encodeWithSelector(ILiquidationManager.BatchNotOpen.selector, 2, BatchStatus.NONE)
        );
    }

    function test_another_header_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.header.timeEnd += 1;
        expect(c, ILiquidationManager.HeaderMismatch.selector);
    }

    function test_an_index_beyond_the_count_is_refused() public {
        Case memory c = fullCase(2);
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        sealInstruction(c);
        c.header.liquidationCount = 9;
        sealHeader(c);
        expect(c, abi.encodeWithSelector(ILiquidationManager.IndexBeyondCount.selector, 9, 9));
    }

    function test_an_instruction_outside_the_batch_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.instruction.id += 1;
        expect(c, ILiquidationManager.InstructionNotInBatch.selector);
        c.instruction.id -= 1;
        c.witness.index = 8;
        expect(c, ILiquidationManager.InstructionNotInBatch.selector);
    }

    function test_another_epoch_than_the_instruction_names_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.epoch.number += 1;
        expect(c, ILiquidationManager.EpochMismatch.selector);
    }

    function test_an_epoch_outside_the_batch_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.epochIndex += 1;
        expect(c, ILiquidationManager.EpochNotInBatch.selector);
    }

    function test_a_report_that_the_hub_never_accepted_is_refused() public {
        Case memory c = fullCase(2);
        c.witness.epoch.reportHash = keccak256("a report of nobody");
        seal(c);
        expect(
            c,
            abi.encodeWithSelector(
                ILiquidationManager.ReportNotAccepted.selector, c.witness.epoch.reportHash
            )
        );
    }

    /// @dev L-5. The hub accepted it, but it is only the second since the oracle came.
    function test_a_report_in_the_grace_after_an_outage_is_refused() public {
        hub.setGrace(Grace(3, 0));
        uint64 time = uint64(START * 1e9) + 1;
        vm.assertTrue(report(2, time, medians));
        Case memory c = fullCase(2);
        bytes32 reportHash = keccak256(abi.encode(uint64(2), time, pack(medians)));
        c.witness.epoch.reportHash = reportHash;
        seal(c);
        expect(c, abi.encodeWithSelector(ILiquidationManager.ReportInGrace.selector, reportHash));
    }

    function test_another_leaf_than_the_instruction_names_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.leaf.cashE6 -= 1;
        expect(c, ILiquidationManager.LeafMismatch.selector);
    }

    function test_a_leaf_outside_the_account_tree_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.accountProof[19] = bytes32(0);
        expect(c, ILiquidationManager.AccountNotInTree.selector);
    }

    function test_a_leaf_of_another_account_is_refused() public {
        Case memory c = fullCase(2);
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        c.instruction.account += 1;
        sealInstruction(c);
        sealHeader(c);
        expect(c, ILiquidationManager.AccountNotInTree.selector);
    }

    function testFuzz_an_input_with_a_flipped_bit_changes_no_verdict(uint256 bit) public {
        Case memory c = chargedCase(3);
        seal(c);
        bytes memory input = abi.encodeCall(manager.verify, (c.header, c.instruction, c.witness));
        bit %= (input.length - 4) * 8;
        input[4 + bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool done, bytes memory output) = address(manager).call(input);
        // Only bits that nobody reads remain: the padding of packed columns.
        if (!done) return;
        (int256 balance,) = byHand(c);
        (int256 given,) = abi.decode(output, (int256, uint256));
        vm.assertEq(given, balance);
        vm.assertEq(keccak256(output), keccak256(_unaltered(c)));
        vm.assertTrue(manager.isVerified(hasher.hash(c.header), 9));
    }

    /// @dev What a manager that saw nothing else answers.
    function _unaltered(Case memory c) private returns (bytes memory) {
        (int256 balance, uint256 maintenance) = new MarginOf()
            .ofCase(
                c.witness.leaf, c.witness.columns, c.witness.collateral, c.witness.curves, terms()
            );
        return abi.encode(balance, maintenance);
    }

    // What was committed and is wrong is refused.

    function test_a_healthy_account_is_refused() public {
        Case memory c = partialCase(8);
        c.witness.leaf.cashE6 = 100_000e6;
        seal(c);
        expect(c, ILiquidationManager.NotLiquidatable.selector);
    }

    function test_a_debt_is_not_hidden_by_a_small_maintenance() public {
        Case memory c = fullCase(0);
        c.witness.leaf.cashE6 = 0;
        c.witness.leaf.collateralE8[0] = 0;
        c.witness.collateral = "";
        seal(c);
        expect(
            c, abi.encodeWithSelector(ILiquidationManager.NotLiquidatable.selector, 0, 0, 1_000_000)
        );
    }

    function test_an_account_of_an_unknown_mode_is_refused() public {
        Case memory c = linearCase(2, 3);
        seal(c);
        expect(c, abi.encodeWithSelector(Margin.UnknownMode.selector, 3));
    }

    function test_an_unknown_tier_is_refused() public {
        Case memory c = fullCase(2);
        c.instruction.tier = 3;
        seal(c);
        expect(c, abi.encodeWithSelector(Legs.UnknownTier.selector, 3));
    }

    function test_a_leg_above_the_cap_is_refused() public {
        Case memory c = partialCase(2);
        c.instruction.legs[0].lots = -11;
        seal(c);
        expect(c, abi.encodeWithSelector(Legs.LegAboveCap.selector, 0, -11, 10));
    }

    function test_a_full_liquidation_that_forgets_a_position_is_refused() public {
        Case memory c = fullCase(2);
        Leg[] memory legs = new Leg[](1);
        legs[0] = c.instruction.legs[0];
        c.instruction.legs = legs;
        seal(c);
        expect(c, abi.encodeWithSelector(Legs.LegCount.selector, 1, 2));
    }
}
