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
        uint64 indexed version, bytes32 indexed paramsHash, bytes32 documentHash, Terms terms
    );

    function setUp() public {
        _parameters = new RiskParameters(address(this), address(this), valid(), "document");
    }

    function test_the_first_set_is_adopted_at_construction() public view {
        vm.assertEq(_parameters.version(), 1);
        vm.assertEq(_parameters.documentHash(), "document");
        vm.assertEq(_parameters.paramsHash(), hashOf(valid(), "document"));
        vm.assertEq(_parameters.terms().keeperFeeE6, 5e6);
    }

    function test_an_adopted_set_becomes_current_and_the_old_one_stays_readable() public {
        bytes32 old = _parameters.paramsHash();
        Terms memory next = valid();
        next.mmFactorE6 = 900_000;
        vm.expectEmit(address(_parameters));
        emit ParametersAdopted(2, hashOf(next, "second"), "second", next);
        _parameters.adopt(next, "second");
        vm.assertEq(_parameters.version(), 2);
        vm.assertEq(_parameters.paramsHash(), hashOf(next, "second"));
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
        _parameters.adopt(next, "second");
    }

    function test_a_maintenance_factor_outside_its_range_is_refused() public {
        Terms memory t = valid();
        t.mmFactorE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 0));
        t.mmFactorE6 = 1_000_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.MmFactorOutOfRange.selector, 1_000_001));
        t.mmFactorE6 = 1_000_000;
        _parameters.adopt(t, "second");
    }

    function test_triggers_out_of_order_are_refused() public {
        Terms memory t = valid();
        t.fullTriggerE6 = 0;
        bytes4 reason = IRiskParameters.TriggersOutOfOrder.selector;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, 0));
        t.fullTriggerE6 = t.partialTriggerE6 + 1;
        refuse(t, abi.encodeWithSelector(reason, t.partialTriggerE6, t.fullTriggerE6));
        t.fullTriggerE6 = t.partialTriggerE6;
        _parameters.adopt(t, "second");
    }

    function test_a_cap_outside_25_to_50_percent_is_refused() public {
        Terms memory t = valid();
        t.partialCapE6 = 249_999;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 249_999));
        t.partialCapE6 = 500_001;
        refuse(t, abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 500_001));
        t.partialCapE6 = 500_000;
        _parameters.adopt(t, "second");
    }

    function test_a_haircut_of_nothing_or_everything_is_refused() public {
        Terms memory t = valid();
        t.haircutE6 = 0;
        refuse(t, abi.encodeWithSelector(IRiskParameters.HaircutOutOfRange.selector, 0));
        t.haircutE6 = 1_000_000;
        refuse(t, abi.encodeWithSelector(IRiskParameters.HaircutOutOfRange.selector, 1_000_000));
    }

    function test_a_set_without_a_document_is_refused() public {
        vm.expectRevert(IRiskParameters.NoDocument.selector);
        _parameters.adopt(valid(), 0);
    }

    function testFuzz_every_term_and_the_document_change_the_hash(uint8 field, uint64 d) public {
        vm.assume(d != 0);
        Terms memory t = valid();
        field %= 8;
        if (field == 0) t.mmFactorE6 = 1 + uint32(d % 799_999);
        if (field == 1) t.partialTriggerE6 += 1 + uint32(d % 1e6);
        if (field == 2) t.fullTriggerE6 -= 1 + uint32(d % 999_999);
        if (field == 3) t.partialCapE6 += 1 + uint32(d % 2e5);
        if (field == 4) t.haircutE6 += 1 + uint32(d % 8e5);
        if (field == 5) t.collateralFeed = 1 + uint8(d % 255);
        if (field == 6) t.keeperFeeE6 = 5e6 ^ d;
        bytes32 before = _parameters.paramsHash();
        _parameters.adopt(t, field == 7 ? bytes32(uint256(d)) : bytes32("document"));
        vm.assertTrue(_parameters.paramsHash() != before);
    }

    function refuse(Terms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        _parameters.adopt(t, "second");
    }

    function valid() private pure returns (Terms memory) {
        return Terms(800_000, 1_050_000, 1_000_000, 250_000, 150_000, 0, 5e6);
    }

    function hashOf(Terms memory t, bytes32 document) private pure returns (bytes32) {
        bytes32 termsHash = keccak256(
            abi.encode(
                t.mmFactorE6,
                t.partialTriggerE6,
                t.fullTriggerE6,
                t.partialCapE6,
                t.haircutE6,
                t.collateralFeed,
                t.keeperFeeE6
            )
        );
        return keccak256(abi.encode(termsHash, document));
    }
}
