// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev The paths out of a checkpoint grow with its assets, so there must be an end to them.
contract SettlementAssetCountTest is SettlementRig {
    function setUp() public {
        deployRig();
    }

    function _committed(uint256 assets) private returns (BatchHeader memory header) {
        totals.collateralE8 = new uint128[](assets);
        totals.depositedCollateral = new uint128[](assets);
        totals.withdrawnCollateral = new uint128[](assets);
        header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
    }

    function test_eight_collateral_assets_become_final() public {
        finalise(_committed(8));
        vm.assertEq(settlement.finalised(), 1);
    }

    function test_RevertWhen_there_are_more_than_eight_collateral_assets() public {
        BatchHeader memory header = _committed(9);
        bytes memory proof = proofOf(hashOf(header));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongAssetCount.selector, 9, 9, 9, 0));
        settlement.finalise(header, totals, sums(), EXIT_ROOT, proof);
    }

    /// @dev Whoever first pays in an asset that is listed late must not stop what was committed
    /// before: the batches could not become final any more, and the venue would freeze.
    function test_a_deposit_of_another_asset_leaves_earlier_batches_as_they_were() public {
        BatchHeader memory header = _committed(1);
        _payInAnother();
        finalise(header);
        vm.assertEq(settlement.finalised(), 1);
    }

    function test_RevertWhen_a_batch_consumes_an_asset_that_its_totals_leave_out() public {
        _payInAnother();
        BatchHeader memory header = _committed(1);
        bytes memory proof = proofOf(hashOf(header));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongAssetCount.selector, 1, 1, 1, 2));
        settlement.finalise(header, totals, sums(), EXIT_ROOT, proof);
    }

    function _payInAnother() private {
        PlainToken late = new PlainToken(8);
        vm.assertEq(vault.list(address(late), 1), 2);
        depositFor(late, 2, RELAYER, 1);
    }
}
