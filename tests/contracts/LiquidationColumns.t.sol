// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILiquidationManager} from "../../contracts/interfaces/ILiquidationManager.sol";
import {Columns} from "../../contracts/libraries/Columns.sol";
import {Margin} from "../../contracts/libraries/Margin.sol";
import {ColumnOpening} from "../../contracts/types/Liquidation.sol";
import {LiquidationChecks} from "./support/LiquidationChecks.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-8: what a witness opens is of the epoch, and no more than what is checked.
contract LiquidationColumnsTest is LiquidationChecks {
    function setUp() public {
        deployVenue();
    }

    function test_altered_charges_are_refused() public {
        Case memory c = chargedCase(2);
        seal(c);
        c.witness.columns[1].charges[0] ^= 0x01;
        expect(c, ILiquidationManager.ChargeColumnNotInEpoch.selector);
    }

    function test_charges_of_another_underlying_are_refused() public {
        Case memory c = chargedCase(2);
        seal(c);
        (c.witness.columns[0].charges, c.witness.columns[1].charges) =
        (c.witness.columns[1].charges, c.witness.columns[0].charges);
        (c.witness.columns[0].chargeProof, c.witness.columns[1].chargeProof) =
        (c.witness.columns[1].chargeProof, c.witness.columns[0].chargeProof);
        expect(c, ILiquidationManager.ChargeColumnNotInEpoch.selector);
    }

    function test_charges_of_another_epoch_are_refused() public {
        Case memory c = chargedCase(2);
        Case memory other = chargedCase(2);
        other.witness.columns[0].charges[20] ^= 0x01;
        sealColumns(other);
        seal(c);
        c.witness.columns[0].charges = other.witness.columns[0].charges;
        c.witness.columns[0].chargeProof = other.witness.columns[0].chargeProof;
        expect(c, ILiquidationManager.ChargeColumnNotInEpoch.selector);
    }

    function test_a_proof_without_charges_is_refused() public {
        Case memory c = chargedCase(2);
        seal(c);
        c.witness.columns[0].charges = "";
        expect(c, ILiquidationManager.ChargeColumnNotInEpoch.selector);
    }

    function test_other_curves_than_those_of_the_set_are_refused() public {
        Case memory c = chargedCase(2);
        seal(c);
        c.witness.curves[4] ^= 0x01;
        expect(
            c,
            abi.encodeWithSelector(
                ILiquidationManager.CurvesMismatch.selector,
                keccak256(curves()),
                keccak256(c.witness.curves)
            )
        );
        c.witness.curves = "";
        expect(c, ILiquidationManager.CurvesMismatch.selector);
    }

    function test_curves_without_charges_are_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.curves = curves();
        expect(c, abi.encodeWithSelector(ILiquidationManager.CurvesNotNeeded.selector));
    }

    function test_an_altered_or_missing_collateral_column_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.collateral[9] ^= 0x01;
        expect(c, ILiquidationManager.CollateralColumnNotInEpoch.selector);
        c.witness.collateral = "";
        expect(c, ILiquidationManager.CollateralColumnNotInEpoch.selector);
        c.witness.collateralProof = new bytes32[](0);
        expect(c, ILiquidationManager.CollateralColumnNotInEpoch.selector);
    }

    function test_a_charge_column_does_not_pass_for_the_collateral_column() public {
        Case memory c = chargedCase(2);
        seal(c);
        c.witness.collateral = c.witness.columns[0].charges;
        c.witness.collateralProof = c.witness.columns[0].chargeProof;
        expect(c, ILiquidationManager.CollateralColumnNotInEpoch.selector);
    }

    function test_a_collateral_column_that_prices_nothing_is_refused() public {
        Case memory c = fullCase(2);
        c.witness.leaf.collateralE8[0] = 0;
        seal(c);
        bytes memory reason = abi.encodeWithSelector(ILiquidationManager.CollateralNotHeld.selector);
        expect(c, reason);
        bytes32[] memory proof = c.witness.collateralProof;
        c.witness.collateralProof = new bytes32[](0);
        expect(c, reason);
        (c.witness.collateral, c.witness.collateralProof) = ("", proof);
        expect(c, reason);
        c.witness.collateralProof = new bytes32[](0);
        verify(c);
    }

    function test_a_scenario_of_a_linear_account_is_refused() public {
        for (uint8 mode = 0; mode < 2; ++mode) {
            Case memory c = linearCase(2, mode);
            c.witness.leaf.cashE6 = int64(slack(c));
            seal(c);
            bytes memory reason =
                abi.encodeWithSelector(ILiquidationManager.RiskColumnOpened.selector, 1);
            c.witness.columns[1].losses = lossColumn(1);
            expect(c, reason);
            c.witness.columns[1].losses = "";
            c.witness.columns[1].scenario = 21;
            expect(c, reason);
            c.witness.columns[1].scenario = 0;
            c.witness.columns[1].lossProof = new bytes32[](1);
            expect(c, reason);
            c.witness.columns[1].lossProof = new bytes32[](0);
            verify(c);
        }
    }

    function test_a_portfolio_without_its_scenario_is_refused() public {
        Case memory c = linearCase(2, 2);
        seal(c);
        c.witness.columns[0].losses = "";
        c.witness.columns[0].lossProof = new bytes32[](0);
        expect(c, ILiquidationManager.RiskColumnNotInEpoch.selector);
    }

    function test_charges_raise_the_requirement() public {
        Case memory c = chargedCase(8);
        seal(c);
        (int256 expected, uint256 least) = byHand(c);
        (int256 balance, uint256 maintenance) = verify(c);
        vm.assertEq(balance, expected);
        vm.assertTrue(maintenance > least);
    }

    function test_an_account_that_only_its_charges_make_liquidatable_is_verified() public {
        Case memory c = fullCase(2);
        (int256 balance, uint256 maintenance) = byHand(c);
        c.witness.leaf.cashE6 += int64(int256(maintenance) - balance);
        seal(c);
        expect(c, ILiquidationManager.NotLiquidatable.selector);
        Case memory d = chargedCase(2);
        d.witness.leaf.cashE6 = c.witness.leaf.cashE6;
        seal(d);
        verify(d);
    }

    function test_linear_accounts_are_verified_from_their_notionals() public {
        for (uint8 mode = 0; mode < 2; ++mode) {
            Case memory c = linearCase(2, mode);
            c.witness.leaf.cashE6 = int64(slack(c) + 1);
            seal(c);
            (int256 balance, uint256 maintenance) = verify(c);
            vm.assertEq(balance, 1);
            vm.assertEq(maintenance, linearByHand(c));
        }
    }

    function test_a_healthy_linear_account_is_refused() public {
        Case memory c = linearCase(2, 1);
        uint256 due = linearByHand(c);
        c.witness.leaf.cashE6 = int64(slack(c) + int256(due));
        seal(c);
        expect(
            c,
            abi.encodeWithSelector(
                ILiquidationManager.NotLiquidatable.selector, due, due, 1_000_000
            )
        );
    }

    /// @dev Cash with which the balance of a case without cash would be zero.
    function slack(Case memory c) private pure returns (int256) {
        (int256 balance,) = byHand(c);
        return -balance;
    }

    /// @dev Half a percent of each notional, which lie in the first tier.
    function linearByHand(Case memory c) private pure returns (uint256 due) {
        for (uint256 i = 0; i < c.witness.leaf.positions.length; ++i) {
            int256 lots = c.witness.leaf.positions[i].lots;
            uint256 u = c.witness.leaf.positions[i].instrument / 256;
            uint256 slot = c.witness.leaf.positions[i].instrument % 256;
            uint256 notional = uint256(lots < 0 ? -lots : lots) * (79e6 + u * 1e6 + slot * 1313);
            due += (notional * 5000 + 999_999) / 1e6;
        }
    }

    function test_an_altered_value_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.columns[1].values[7] ^= 0x01;
        expect(c, ILiquidationManager.ValueColumnNotInEpoch.selector);
    }

    function test_an_altered_loss_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.columns[1].losses[3] ^= 0x01;
        expect(c, ILiquidationManager.RiskColumnNotInEpoch.selector);
    }

    function test_a_column_of_another_scenario_is_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        c.witness.columns[0].scenario += 1;
        expect(c, ILiquidationManager.RiskColumnNotInEpoch.selector);
        // Scenario 36 of underlying 0 would lie where scenario 0 of underlying 1 does.
        c.witness.columns[0].scenario = 36;
        expect(c, abi.encodeWithSelector(Columns.UnknownScenario.selector, 36));
    }

    function test_columns_left_unopened_are_refused() public {
        Case memory c = fullCase(2);
        seal(c);
        ColumnOpening[] memory columns = new ColumnOpening[](1);
        columns[0] = c.witness.columns[0];
        c.witness.columns = columns;
        expect(c, abi.encodeWithSelector(Margin.UnderlyingNotOpened.selector, 1));
    }
}
