// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInsuranceFund} from "../../contracts/interfaces/IInsuranceFund.sol";
import {ILiquidationManager} from "../../contracts/interfaces/ILiquidationManager.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {AttestedVerifier} from "../../contracts/proof/AttestedVerifier.sol";
import {BatchStatus, Totals} from "../../contracts/types/Batch.sol";
import {Report} from "../../contracts/types/Epoch.sol";
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
        router.register(0, address(_verifier), false);
    }

    function test_a_batch_is_not_final_before_its_liquidations_are_verified() public {
        Case memory c = lonely(1);
        sealHeader(c);
        vm.warp(START + 600);
        bytes memory proof = attest(hasher.hash(c.header));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnverifiedLiquidations.selector, 0, 1));
        finalise(c, proof);
        verify(c);
        finalise(c, proof);
        vm.assertEq(settlement.finalised(), 1);
    }

    function test_nothing_is_verified_in_a_final_batch() public {
        Case memory c = lonely(1);
        c.header.liquidationCount = 0;
        sealHeader(c);
        vm.warp(START + 600);
        finalise(c, attest(hasher.hash(c.header)));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILiquidationManager.BatchNotOpen.selector, 1, BatchStatus.FINALIZED
            )
        );
        verify(c);
    }

    /// @dev Two quorums of one round: the engine's log has all seven observations, and a stranger
    /// brings five of them to the hub first. The batch must not be stranded by that.
    function test_a_liquidation_at_a_report_that_was_overtaken_becomes_final() public {
        (uint64 time, bytes[] memory values, bytes[] memory signatures) = overtaken();
        Case memory c = fullCase(1);
        c.witness.index = 0;
        bytes memory middle = bytes.concat(values[3]);
        assembly ("memory-safe") {
            mstore(middle, mul(8, FEEDS))
        }
        c.witness.epoch.reportHash = keccak256(abi.encode(uint64(2), time, middle));
        c = lonelyOf(c);
        sealHeader(c);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILiquidationManager.ReportNotAccepted.selector, c.witness.epoch.reportHash
            )
        );
        verify(c);
        Report memory base = Report(1, uint64(START * 1e9), pack(medians));
        vm.assertTrue(hub.submitLate(base, 2, time, values, signatures));
        verify(c);
        vm.warp(START + 600);
        finalise(c, attest(hasher.hash(c.header)));
        vm.assertEq(settlement.finalised(), 1);
    }

    /// @dev The sequencer can commit liquidations that never were and verify them itself. No
    /// attestor signs such a batch, and without that the fee stays where it is.
    function test_fees_of_a_batch_that_nobody_attests_stay_in_the_fund() public {
        Case memory c = lonely(1);
        sealHeader(c);
        verify(c);
        vm.assertEq(credited(c, address(this)), KEEPER_FEE_E6);
        vm.warp(START + 365 days);
        vm.expectRevert(
            abi.encodeWithSelector(IInsuranceFund.CreditNotDue.selector, 1, BatchStatus.COMMITTED)
        );
        fund.claimKeeperFees(firstBatch());
        finalise(c, attest(hasher.hash(c.header)));
        vm.assertEq(fund.claimKeeperFees(firstBatch()), KEEPER_FEE_E6);
    }

    /// @dev A count that was reached by a reverted batch must not serve its replacement.
    function test_what_was_verified_of_a_reverted_batch_does_not_count_for_another() public {
        Case memory c = lonely(1);
        sealHeader(c);
        verify(c);
        bytes32 dropped = hasher.hash(c.header);
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(c.header);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILiquidationManager.BatchNotOpen.selector, 1, BatchStatus.REVERTED
            )
        );
        c.witness.index = 1; // not the place that was verified, which is refused before
        verify(c);
        c.witness.index = 0;
        c.header.outputRoot = keccak256("another");
        commitHeader(c);
        vm.assertEq(manager.verifiedCount(dropped), 1);
        vm.assertEq(manager.verifiedCount(hasher.hash(c.header)), 0);
        vm.warp(START + 600);
        bytes memory proof = attest(hasher.hash(c.header));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnverifiedLiquidations.selector, 0, 1));
        finalise(c, proof);
        verify(c);
        finalise(c, proof);
        fund.releaseDead(dropped, address(this));
        vm.assertEq(fund.owedToKeepersE6(), KEEPER_FEE_E6);
        vm.assertEq(fund.claimKeeperFees(firstBatch()), KEEPER_FEE_E6);
    }

    function test_a_proven_or_challenged_batch_is_verified_too() public {
        Case memory c = lonely(1);
        sealHeader(c);
        settlement.prove(c.header, attest(hasher.hash(c.header)));
        verify(c);
        Case memory d = lonely(2);
        sealHeader(d);
        bytes32 hash = hasher.hash(d.header);
        vm.prank(COURT);
        settlement.beginChallenge(2, hash);
        verify(d);
        vm.assertEq(manager.verifiedCount(hash), 1);
    }

    function firstBatch() private pure returns (uint64[] memory list) {
        list = new uint64[](1);
        list[0] = 1;
    }

    function overtaken()
        private
        returns (uint64 time, bytes[] memory values, bytes[] memory signatures)
    {
        time = uint64(START * 1e9) + 1;
        values = new bytes[](ORACLES);
        for (uint256 i = 0; i < ORACLES; ++i) {
            int64[] memory seen = medians;
            for (uint256 f = 0; f < FEEDS; ++f) {
                seen[f] += int64(int256(i));
            }
            values[i] = still(pack(seen));
        }
        signatures = signAll(2, time, values);
        (bytes[] memory five, bytes[] memory theirs) = (new bytes[](5), new bytes[](5));
        for (uint256 i = 0; i < 5; ++i) {
            (five[i], theirs[i]) = (values[i + 2], signatures[i + 2]);
        }
        vm.assertTrue(hub.submit(2, time, five, theirs));
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.RoundNotNew.selector, 2, 2));
        hub.submit(2, time, values, signatures);
    }

    /// @dev A case that is the only liquidation of its batch, sealed up to the header.
    function lonely(uint256 count) private view returns (Case memory c) {
        c = fullCase(count);
        c.witness.index = 0;
        return lonelyOf(c);
    }

    function lonelyOf(Case memory c) private pure returns (Case memory) {
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        c.witness.instructionProof = new bytes32[](0);
        c.header.liquidationRoot = keccak256(abi.encode(c.instruction));
        c.header.liquidationCount = 1;
        Totals memory totals;
        c.header.totalsHash = keccak256(abi.encode(totals));
        return c;
    }

    function attest(bytes32 batchHash) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(ATTESTOR_KEY, _verifier.attestationDigest(batchHash));
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = abi.encodePacked(r, s, v);
        return abi.encode(signatures);
    }
}
