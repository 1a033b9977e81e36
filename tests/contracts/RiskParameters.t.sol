// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {RiskParameters} from "../../contracts/risk/RiskParameters.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {vm} from "./support/Vm.sol";

contract RiskParametersTest {
    address private constant STRANGER = address(0xBAD);

    RiskParameters private _parameters;

    event ParametersAdopted(
        uint64 indexed version,
        bytes32 indexed paramsHash,
        bytes32 curvesHash,
        bytes32 documentHash,
        Terms terms
    );

    function setUp() public {
        _parameters =
            new RiskParameters(address(this), address(this), valid(), "curves", "document");
    }

    function test_the_first_set_is_adopted_at_construction() public view {
        vm.assertEq(_parameters.version(), 1);
        vm.assertEq(_parameters.documentHash(), "document");
        vm.assertEq(_parameters.paramsHash(), hashOf(valid(), "curves", "document"));
        vm.assertEq(_parameters.terms().keeperFeeE6, 5e6);
    }

    function test_an_adopted_set_becomes_current_and_the_old_one_stays_readable() public {
        bytes32 old = _parameters.paramsHash();
        Terms memory next = valid();
        next.mmFactorE6 = 900_000;
        vm.expectEmit(address(_parameters));
        emit ParametersAdopted(2, hashOf(next, "curves", "second"), "curves", "second", next);
        _parameters.adopt(next, "curves", "second");
        vm.assertEq(_parameters.version(), 2);
        vm.assertEq(_parameters.paramsHash(), hashOf(next, "curves", "second"));
        vm.assertEq(_parameters.terms().mmFactorE6, 900_000);
        vm.assertEq(_parameters.termsOf(old).mmFactorE6, 800_000);
    }

    function test_a_set_that_was_never_adopted_has_no_terms() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRiskParameters.UnknownParameters.selector, bytes32("none"))
        );
        _parameters.termsOf("none");
    }

    function test_only_the_risk_role_adopts() public {
        bytes32 role = _parameters.RISK_ROLE();
        Terms memory next = valid();
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, role
            )
        );
        _parameters.adopt(next, "curves", "second");
    }

    function test_a_maintenance_factor_outside_its_range_is_refused() public {
        Terms memory t = valid();
        t.mmFactorE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 0));
        t.mmFactorE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 1_000_001));
        t.mmFactorE6 = 1_000_000;
        _parameters.adopt(t, "curves", "second");
    }

    function test_triggers_out_of_order_are_refused() public {
        Terms memory t = valid();
        t.fullTriggerE6 = 0;
        bytes4 reason = IRiskParameters.TriggersOutOfOrder.selector;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, 0));
        t.fullTriggerE6 = t.partialTriggerE6 + 1;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, t.fullTriggerE6));
        t.fullTriggerE6 = t.partialTriggerE6;
        _parameters.adopt(t, "curves", "second");
    }

    function test_a_cap_outside_25_to_50_percent_is_refused() public {
        Terms memory t = valid();
        t.partialCapE6 = 249_999;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 249_999));
        t.partialCapE6 = 500_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 500_001));
        t.partialCapE6 = 500_000;
        _parameters.adopt(t, "curves", "second");
    }

    function test_an_offset_of_more_than_the_gain_is_refused() public {
        Terms memory t = valid();
        t.offsetE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.OffsetOutOfRange.selector, 1_000_001));
        t.offsetE6 = 1_000_000;
        _parameters.adopt(t, "curves", "second");
        t.offsetE6 = 0;
        _parameters.adopt(t, "curves", "third");
    }

    function test_a_breakdown_of_nothing_or_more_than_all_is_refused() public {
        Terms memory t = valid();
        t.breakdownE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.BreakdownOutOfRange.selector, 0));
        t.breakdownE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.BreakdownOutOfRange.selector, 1_000_001));
        t.breakdownE6 = 1_000_000;
        _parameters.adopt(t, "curves", "second");
    }

    function test_a_set_without_curves_is_refused() public {
        vm.expectRevert(IRiskParameters.NoCurves.selector);
        _parameters.adopt(valid(), 0, "document");
    }

    function test_a_set_without_a_document_is_refused() public {
        vm.expectRevert(IRiskParameters.NoDocument.selector);
        _parameters.adopt(valid(), "curves", 0);
    }

    function test_the_curves_of_every_adopted_set_stay_readable() public {
        bytes32 old = _parameters.paramsHash();
        _parameters.adopt(valid(), "other curves", "document");
        vm.assertEq(_parameters.curvesHashOf(old), "curves");
        vm.assertEq(_parameters.curvesHashOf(_parameters.paramsHash()), "other curves");
        vm.expectRevert(
            abi.encodeWithSelector(IRiskParameters.UnknownParameters.selector, bytes32("none"))
        );
        _parameters.curvesHashOf("none");
    }

    function testFuzz_every_term_and_both_hashes_change_the_hash(uint8 field, uint32 d) public {
        vm.assume(d != 0);
        Terms memory t = valid();
        field %= 10;
        if (field == 0) t.mmFactorE6 = 1 + d % 799_999;
        if (field == 1) t.partialTriggerE6 += 1 + d % 1e6;
        if (field == 2) t.fullTriggerE6 -= 1 + d % 999_999;
        if (field == 3) t.partialCapE6 += 1 + d % 2e5;
        if (field == 4) t.offsetE6 += 1 + d % 5e5;
        if (field == 5) t.breakdownE6 -= 1 + d % 8e5;
        if (field == 6) t.keeperFeeE6 = 5e6 ^ d;
        if (field == 7) t.offsetCapUsd = 5e6 ^ d;
        bytes32 before = _parameters.paramsHash();
        bytes32 other = bytes32(uint256(d));
        _parameters.adopt(
            t, field == 8 ? other : bytes32("curves"), field == 9 ? other : bytes32("document")
        );
        vm.assertTrue(_parameters.paramsHash() != before);
    }

    function refuse(Terms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        _parameters.adopt(t, "curves", "second");
    }

    function valid() private pure returns (Terms memory) {
        return Terms(800_000, 1_050_000, 1_000_000, 250_000, 500_000, 850_000, 5e6, 5e6);
    }

    function hashOf(Terms memory t, bytes32 curves, bytes32 document)
        private
        pure
        returns (bytes32)
    {
        bytes32 termsHash = keccak256(
            abi.encode(
                t.mmFactorE6,
                t.partialTriggerE6,
                t.fullTriggerE6,
                t.partialCapE6,
                t.offsetE6,
                t.breakdownE6,
                t.keeperFeeE6,
                t.offsetCapUsd
            )
        );
        return keccak256(abi.encode(termsHash, curves, document));
    }
}
