// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILiquidationManager} from "../../contracts/interfaces/ILiquidationManager.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {AttestedVerifier} from "../../contracts/proof/AttestedVerifier.sol";
import {BatchStatus, Totals} from "../../contracts/types/Batch.sol";
import {LiquidationVenue} from "./support/LiquidationVenue.sol";
import {vm} from "./support/Vm.sol";

/// @dev What verification means for the life of a batch.
contract LiquidationFinalityTest is LiquidationVenue {
    uint256 private constant ATTESTOR_KEY = 0xA77E;

    AttestedVerifier private _verifier;

    function setUp() public {
        deployVenue();
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        _verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(_verifier));
    }

    function test_a_batch_is_not_final_before_its_liquidations_are_verified() public {
        Case memory c = lonely(1);
        sealHeader(c);
        vm.warp(START + 600);
        bytes memory proof = attest(hasher.hash(c.header));
        Totals memory totals;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnverifiedLiquidations.selector, 0, 1));
        settlement.finalise(c.header, totals, proof);
        verify(c);
        settlement.finalise(c.header, totals, proof);
        vm.assertEq(settlement.finalised(), 1);
    }

    function test_nothing_is_verified_in_a_final_batch() public {
        Case memory c = lonely(1);
        c.header.liquidationCount = 0;
        sealHeader(c);
        vm.warp(START + 600);
        Totals memory totals;
        settlement.finalise(c.header, totals, attest(hasher.hash(c.header)));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILiquidationManager.BatchNotCommitted.selector, 1, BatchStatus.FINALIZED
            )
        );
        verify(c);
    }

    /// @dev A case that is the only liquidation of its batch, sealed up to the header.
    function lonely(uint256 count) private view returns (Case memory c) {
        c = fullCase(count);
        c.witness.index = 0;
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        c.witness.instructionProof = new bytes32[](0);
        c.header.liquidationRoot = keccak256(abi.encode(c.instruction));
        c.header.liquidationCount = 1;
        Totals memory totals;
        c.header.totalsHash = keccak256(abi.encode(totals));
    }

    function attest(bytes32 batchHash) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(ATTESTOR_KEY, _verifier.attestationDigest(batchHash));
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(r, s, v);
        return abi.encode(signatures);
    }
}
