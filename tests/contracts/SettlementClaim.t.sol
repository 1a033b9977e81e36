// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {BatchHeader, BatchStatus, Output} from "../../contracts/types/Batch.sol";
import {OutputTree, SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-3: only a final batch pays, and each output once (C-6).
contract SettlementClaimTest is SettlementRig {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);

    Output[] private outputs;

    function setUp() public {
        deployRig();
        depositFor(cash, 0, ALICE, 1000);
        depositFor(collateral, 1, BOB, 500);
        outputs.push(Output(1, 1, ALICE, 0, 600));
        outputs.push(Output(2, 2, BOB, 1, 500));
        outputs.push(Output(3, 0, address(insurance), 0, 100));
    }

    function claim(BatchHeader memory header, uint256 index) private {
        bytes32[] memory proof = OutputTree.proofOf(outputs, index);
        settlement.claim(header, outputs[index], index, proof);
    }

    function refuse(BatchHeader memory header, Output memory output, bytes memory reason) private {
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        vm.expectRevert(reason);
        settlement.claim(header, output, 0, proof);
    }

    function test_each_output_pays_its_owner() public {
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        vm.expectEmit(address(settlement));
        emit ISettlement.OutputClaimed(1, ALICE, 1, 0, 600);
        vm.prank(address(0xbeef)); // anyone may pay the owner's gas
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        settlement.claim(header, outputs[0], 0, proof);
        claim(header, 1);
        claim(header, 2);

        vm.assertEq(cash.balanceOf(ALICE), 600);
        vm.assertEq(collateral.balanceOf(BOB), 500);
        vm.assertEq(insurance.reserveE6(), 100);
        vm.assertEq(vault.bookedBalance(0), 300);
        vm.assertEq(vault.bookedBalance(1), 0);
        vm.assertTrue(settlement.isClaimed(3));
        vm.assertFalse(settlement.isClaimed(4));
    }

    function test_an_output_pays_once() public {
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        claim(header, 0);
        refuse(header, outputs[0], abi.encodeWithSelector(ISettlement.AlreadyClaimed.selector, 1));
    }

    function test_an_id_pays_once_even_in_another_batch() public {
        claim(settled(OutputTree.rootOf(outputs)), 0);
        BatchHeader memory again = settled(OutputTree.rootOf(outputs));
        refuse(again, outputs[0], abi.encodeWithSelector(ISettlement.AlreadyClaimed.selector, 1));
    }

    function test_a_batch_that_is_not_final_pays_nothing() public {
        BatchHeader memory header = nextHeader();
        header.outputRoot = OutputTree.rootOf(outputs);
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        bytes4 refusal = ISettlement.NotFinalised.selector;
        refuse(header, outputs[0], abi.encodeWithSelector(refusal, 1, BatchStatus.COMMITTED));
        header.batchNo = 2;
        refuse(header, outputs[0], abi.encodeWithSelector(refusal, 2, BatchStatus.NONE));
    }

    function test_another_header_pays_nothing() public {
        BatchHeader memory header = settled(0);
        bytes32 committed = hashOf(header);
        header.outputRoot = OutputTree.rootOf(outputs);
        refuse(
            header,
            outputs[0],
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, hashOf(header), committed)
        );
    }

    function testFuzz_an_altered_output_pays_nothing(uint8 field, uint64 noise) public {
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        Output memory forged = outputs[0];
        field %= 5;
        if (field == 0) forged.id ^= noise | 1;
        if (field == 1) forged.account ^= uint32(noise) | 1;
        if (field == 2) forged.owner = address(uint160(forged.owner) ^ (noise | 1));
        if (field == 3) forged.asset ^= 1;
        if (field == 4) forged.amount ^= noise | 1;
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        bytes memory call = abi.encodeCall(settlement.claim, (header, forged, 0, proof));
        (bool done, bytes memory answer) = address(settlement).call(call);
        vm.assertFalse(done);
        vm.assertEq(bytes32(bytes4(answer)), bytes32(ISettlement.WrongOutput.selector));
    }

    function test_another_place_in_the_tree_pays_nothing() public {
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        bytes32 root = OutputTree.rootOf(outputs);
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        bytes32 leaf = OutputTree.leafOf(outputs[0]);
        bytes32 swapped =
            keccak256(abi.encodePacked(keccak256(abi.encodePacked(proof[0], leaf)), proof[1]));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongOutput.selector, swapped, root));
        settlement.claim(header, outputs[0], 1, proof);
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexOutOfRange.selector, 4, 4));
        settlement.claim(header, outputs[0], 4, proof);
    }

    function test_more_than_the_vault_has_booked_is_not_paid() public {
        outputs[0].amount = 1001;
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        cash.mint(address(vault), 10_000); // a donation does not help
        refuse(
            header,
            outputs[0],
            abi.encodeWithSelector(
                ICollateralVault.InsufficientBookedBalance.selector, 0, 1001, 1000
            )
        );
        vm.assertFalse(settlement.isClaimed(1));
    }

    function testFuzz_ids_share_words_without_disturbing_each_other(uint64 first, uint64 second)
        public
    {
        vm.assume(first != second);
        outputs[0].id = first;
        outputs[1].id = second;
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        claim(header, 0);
        vm.assertTrue(settlement.isClaimed(first));
        vm.assertFalse(settlement.isClaimed(second));
        claim(header, 1);
        vm.assertTrue(settlement.isClaimed(second));
    }
}
