// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

contract SettlementConstructionTest is SettlementRig {
    function setUp() public {
        deployRig();
    }

    function some() private view returns (ISettlement.Config memory) {
        return config(address(1), address(2), address(3));
    }

    function test_a_settlement_without_one_of_its_parts_is_refused() public {
        for (uint256 i = 0; i < 8; ++i) {
            ISettlement.Config memory made = some();
            if (i == 0) made.vault = address(0);
            if (i == 1) made.inbox = address(0);
            if (i == 2) made.liquidationManager = address(0);
            if (i == 3) made.riskParameters = address(0);
            if (i == 4) made.insuranceFund = address(0);
            if (i == 5) made.proofRouter = address(0);
            if (i == 6) made.registry = address(0);
            if (i == 7) made.court = address(0);
            vm.expectRevert(ISettlement.ZeroAddress.selector);
            new Settlement(made);
        }
    }

    function test_a_settlement_holds_one_to_sixty_four_open_batches() public {
        ISettlement.Config memory made = some();
        bytes4 refusal = ISettlement.OpenBatchesOutOfRange.selector;
        made.maxOpenBatches = 0;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 64));
        new Settlement(made);
        made.maxOpenBatches = 65;
        vm.expectRevert(abi.encodeWithSelector(refusal, 65, 64));
        new Settlement(made);
        made.maxOpenBatches = 64;
        vm.assertEq(new Settlement(made).maxOpenBatches(), 64);
    }

    /// @dev Else an honest batch, delayed by challenges, would freeze the venue.
    function test_liveness_leaves_time_for_the_longest_window() public {
        ISettlement.Config memory made = some();
        bytes4 refusal = ISettlement.LivenessTooShort.selector;
        made.liveness = WINDOW + MAX_EXTENSION;
        vm.expectRevert(abi.encodeWithSelector(refusal, made.liveness, WINDOW + MAX_EXTENSION));
        new Settlement(made);
        made.provenWindow = WINDOW + 1;
        made.liveness += 1;
        vm.expectRevert(abi.encodeWithSelector(refusal, made.liveness, WINDOW + MAX_EXTENSION + 1));
        new Settlement(made);
        made.liveness += 1;
        new Settlement(made);
    }

    function test_what_is_fixed_can_be_read() public view {
        ISettlement.Config memory made = config(address(vault), address(inbox), address(insurance));
        vm.assertEq(settlement.vault(), made.vault);
        vm.assertEq(settlement.inbox(), made.inbox);
        vm.assertEq(settlement.liquidationManager(), made.liquidationManager);
        vm.assertEq(settlement.riskParameters(), made.riskParameters);
        vm.assertEq(settlement.insuranceFund(), made.insuranceFund);
        vm.assertEq(settlement.proofRouter(), made.proofRouter);
        vm.assertEq(settlement.registry(), made.registry);
        vm.assertEq(settlement.court(), made.court);
        vm.assertEq(settlement.provenWindow(), made.provenWindow);
        vm.assertEq(settlement.attestedWindow(), made.attestedWindow);
        vm.assertEq(settlement.maxExtension(), made.maxExtension);
        vm.assertEq(settlement.verifyWindow(), made.verifyWindow);
        vm.assertEq(settlement.maxSkew(), made.maxSkew);
        vm.assertEq(settlement.maxLag(), made.maxLag);
        vm.assertEq(settlement.forcedDeadline(), made.forcedDeadline);
        vm.assertEq(settlement.liveness(), made.liveness);
        vm.assertEq(settlement.repairTime(), made.repairTime);
        vm.assertEq(settlement.engineHash(), made.engineHash);
    }
}
