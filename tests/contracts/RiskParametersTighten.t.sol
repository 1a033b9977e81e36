// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {GovernanceRig} from "./support/GovernanceRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev G-1 and G-2: tightening is immediate and small, loosening is not for the risk setter.
contract RiskParametersTightenTest is GovernanceRig {
    uint256 private constant MM_FACTOR = 0;
    uint256 private constant OFFSET = 4;
    uint256 private constant KEEPER_FEE = 6;
    uint256 private constant OFFSET_CAP = 7;

    IRiskParameters private _parameters;

    function setUp() public {
        vm.warp(START);
        _parameters = newParameters(address(this), address(this));
    }

    function test_all_terms_tighten_at_once_and_the_rest_of_the_set_stays() public {
        bytes32 old = _parameters.paramsHash();
        Terms memory t = Terms(840_000, 1_100_000, 1_050_000, 275_000, 450_000, 900_000, 5e6, 4.5e6);
        _parameters.tighten(t);
        bytes32 hash = _parameters.paramsHash();
        vm.assertTrue(hash != old);
        vm.assertEq(keccak256(abi.encode(_parameters.termsOf(hash))), keccak256(abi.encode(t)));
        vm.assertEq(_parameters.curvesHashOf(hash), "curves");
        vm.assertEq(_parameters.listingRootOf(hash), "listing");
        vm.assertEq(_parameters.documentHashOf(hash), "document");
        vm.assertEq(_parameters.version(), 2);
        vm.assertTrue(_parameters.isAcceptable(old));
    }

    function test_RevertWhen_anyone_but_the_risk_setter_tightens() public {
        Terms memory t = firstTerms();
        t.offsetE6 -= 1;
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.NotRiskSetter.selector, STRANGER));
        _parameters.tighten(t);
        _parameters.setRiskSetter(STRANGER);
        vm.prank(STRANGER);
        _parameters.tighten(t);
        t.offsetE6 -= 1;
        vm.expectRevert(
            abi.encodeWithSelector(IRiskParameters.NotRiskSetter.selector, address(this))
        );
        _parameters.tighten(t);
    }

    function testFuzz_a_term_moves_in_its_direction_by_a_step_at_most(uint256 term, uint32 to)
        public
    {
        term %= 8;
        uint256[8] memory values = valuesOf(firstTerms());
        uint256 from = values[term];
        to = uint32(to % (2 * from));
        if (to == from) to += 1;
        values[term] = to;
        bool isUp = term != OFFSET && term != OFFSET_CAP;
        uint256 moved = to > from ? to - from : from - to;
        if (term == KEEPER_FEE || (to > from) != isUp) {
            expect(IRiskParameters.Loosens.selector, term, from, to);
        } else if (moved * 10 > from) {
            expect(IRiskParameters.StepTooLarge.selector, term, from, to);
        } else if (term == 2 && to > values[1]) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRiskParameters.TriggersOutOfOrder.selector, uint32(values[1]), to
                )
            );
        }
        _parameters.tighten(termsOf(values));
    }

    function test_RevertWhen_each_term_loosens_by_one() public {
        for (uint256 term = 0; term < 8; ++term) {
            uint256[8] memory values = valuesOf(firstTerms());
            uint256 from = values[term];
            values[term] = term == OFFSET || term == OFFSET_CAP ? from + 1 : from - 1;
            expect(IRiskParameters.Loosens.selector, term, from, values[term]);
            _parameters.tighten(termsOf(values));
        }
    }

    function test_RevertWhen_the_keeper_fee_moves_either_way() public {
        Terms memory t = firstTerms();
        t.keeperFeeE6 = 5e6 + 1;
        expect(IRiskParameters.Loosens.selector, KEEPER_FEE, 5e6, 5e6 + 1);
        _parameters.tighten(t);
        t.keeperFeeE6 = 5e6 - 1;
        expect(IRiskParameters.Loosens.selector, KEEPER_FEE, 5e6, 5e6 - 1);
        _parameters.tighten(t);
    }

    function test_RevertWhen_a_step_is_larger_than_a_tenth_by_one_unit() public {
        Terms memory t = firstTerms();
        t.mmFactorE6 = 880_001;
        expect(IRiskParameters.StepTooLarge.selector, MM_FACTOR, 800_000, 880_001);
        _parameters.tighten(t);
        t = firstTerms();
        t.offsetE6 = 449_999;
        expect(IRiskParameters.StepTooLarge.selector, OFFSET, 500_000, 449_999);
        _parameters.tighten(t);
        t.offsetE6 = 450_000;
        _parameters.tighten(t);
    }

    function test_RevertWhen_a_term_is_tightened_twice_in_a_period() public {
        Terms memory t = firstTerms();
        t.offsetE6 -= 1;
        _parameters.tighten(t);
        t.offsetE6 -= 1;
        vm.warp(START + STEP_PERIOD - 1);
        expect(
            IRiskParameters.StepTooSoon.selector,
            OFFSET,
            START + STEP_PERIOD,
            START + STEP_PERIOD - 1
        );
        _parameters.tighten(t);
        vm.warp(START + STEP_PERIOD);
        _parameters.tighten(t);
    }

    function test_terms_wait_for_themselves_only() public {
        Terms memory t = firstTerms();
        t.offsetE6 -= 1;
        _parameters.tighten(t);
        t.breakdownE6 += 1;
        _parameters.tighten(t);
        vm.assertEq(_parameters.version(), 3);
    }

    function test_RevertWhen_nothing_is_tightened() public {
        vm.expectRevert(IRiskParameters.NoChange.selector);
        _parameters.tighten(firstTerms());
    }

    function test_RevertWhen_the_trigger_would_pass_initial_margin() public {
        Terms memory t = firstTerms();
        (t.mmFactorE6, t.partialTriggerE6) = (930_000, 1_070_000);
        _parameters.adopt(t, "curves", "listing", "second");
        t.partialTriggerE6 = 1_075_269; // x 0.93 = 1.00000017
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskParameters.TriggerAboveInitialMargin.selector, 1_075_269, 930_000
            )
        );
        _parameters.tighten(t);
        t.partialTriggerE6 = 1_075_268; // x 0.93 = 0.99999924
        _parameters.tighten(t);
    }

    function test_a_set_beyond_that_from_the_governor_may_tighten_its_other_terms() public {
        Terms memory t = firstTerms();
        t.mmFactorE6 = 1_000_000;
        _parameters.adopt(t, "curves", "listing", "second");
        t.offsetE6 -= 1;
        _parameters.tighten(t);
        t.partialTriggerE6 += 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskParameters.TriggerAboveInitialMargin.selector, 1_050_001, 1_000_000
            )
        );
        _parameters.tighten(t);
    }

    function test_RevertWhen_a_tightening_breaks_a_relation() public {
        Terms memory t = firstTerms();
        t.partialCapE6 = 480_000;
        _parameters.adopt(t, "curves", "listing", "second");
        t.partialCapE6 = 500_001;
        vm.expectRevert(
            abi.encodeWithSelector(IRiskParameters.PartialCapOutOfRange.selector, 500_001)
        );
        _parameters.tighten(t);
    }

    function expect(bytes4 error_, uint256 term, uint256 current, uint256 proposed) private {
        vm.expectRevert(abi.encodeWithSelector(error_, term, current, proposed));
    }

    function valuesOf(Terms memory t) private pure returns (uint256[8] memory) {
        return abi.decode(abi.encode(t), (uint256[8]));
    }

    function termsOf(uint256[8] memory values) private pure returns (Terms memory) {
        return abi.decode(abi.encode(values), (Terms));
    }
}
