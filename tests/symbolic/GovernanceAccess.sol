// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../../contracts/governance/Guardian.sol";
import {PlimsollTimelock} from "../../contracts/governance/PlimsollTimelock.sol";
import {ProofRouter} from "../../contracts/proof/ProofRouter.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {GovernanceRig, Surroundings} from "../contracts/support/GovernanceRig.sol";
import {vm} from "../contracts/support/Vm.sol";
import {Restricted} from "./support/Restricted.sol";

/// @dev G-1..G-4: every change of a parameter comes from the role that may make it.
contract GovernanceAccessSymbolic is GovernanceRig, Restricted {
    address internal constant GUARDIAN_AT = address(0x1000004);
    address internal constant GOVERNOR = address(0x2000001);

    ProofRouter internal router;
    bytes32 internal proposal;

    /// @dev Guardian and timelock know one another, and the timelock has storage: the guardian is
    /// made for a timelock of its own, and for the limits and the standby that it acts on.
    function setUp() public {
        vm.warp(START);
        venue = new Surroundings();
        timelock = newTimelock(GUARDIAN_AT);
        limits = newLimits(address(timelock), GUARDIAN_AT);
        guardian = new Guardian(HOLDER, address(timelock), address(limits), address(venue));
        vm.etch(GUARDIAN_AT, address(guardian).code);
        vm.prank(address(timelock));
        Guardian(GUARDIAN_AT).setHolder(HOLDER);
        guardian = Guardian(GUARDIAN_AT);
        parameters = newParameters(GOVERNOR, RISK_SETTER);
        router = new ProofRouter(GOVERNOR, 1 days);
        vm.prank(GOVERNOR);
        router.register(1, address(venue), false);
        proposal = propose(address(venue), "");
    }

    function check_Guardian_pauseDeposits(address caller, uint64 until) public {
        byHolder(caller, abi.encodeCall(guardian.pauseDeposits, (until)));
    }

    function check_Guardian_lowerDepositCap(address caller, uint8 asset, uint128 cap, uint64 until)
        public
    {
        byHolder(caller, abi.encodeCall(guardian.lowerDepositCap, (asset, cap, until)));
    }

    function check_Guardian_lowerOutflowCap(address caller, uint8 asset, uint32 share, uint64 until)
        public
    {
        byHolder(caller, abi.encodeCall(guardian.lowerOutflowCap, (asset, share, until)));
    }

    function check_Guardian_promoteStandby(address caller) public {
        byHolder(caller, abi.encodeCall(guardian.promoteStandby, ()));
    }

    function check_Guardian_cancel(address caller) public {
        byHolder(caller, abi.encodeCall(guardian.cancel, (proposal)));
    }

    function check_Guardian_setHolder(address caller, address holder) public {
        onlyFor(
            address(timelock), caller, GUARDIAN_AT, abi.encodeCall(guardian.setHolder, (holder))
        );
    }

    function check_VaultLimits_setDepositCap(address caller, uint8 asset, uint96 target) public {
        toLimits(address(timelock), caller, abi.encodeCall(limits.setDepositCap, (asset, target)));
    }

    function check_VaultLimits_setOutflowLimit(
        address caller,
        uint8 asset,
        uint96 floor,
        uint32 share
    ) public {
        toLimits(
            address(timelock), caller, abi.encodeCall(limits.setOutflowLimit, (asset, floor, share))
        );
    }

    function check_VaultLimits_pauseDeposits(address caller, uint64 until) public {
        toLimits(GUARDIAN_AT, caller, abi.encodeCall(limits.pauseDeposits, (until)));
    }

    function check_VaultLimits_lowerDepositCap(
        address caller,
        uint8 asset,
        uint128 cap,
        uint64 until
    ) public {
        toLimits(GUARDIAN_AT, caller, abi.encodeCall(limits.lowerDepositCap, (asset, cap, until)));
    }

    function check_VaultLimits_lowerOutflowCap(
        address caller,
        uint8 asset,
        uint32 share,
        uint64 until
    ) public {
        toLimits(GUARDIAN_AT, caller, abi.encodeCall(limits.lowerOutflowCap, (asset, share, until)));
    }

    function check_RiskParameters_adopt(
        address caller,
        Terms memory terms,
        bytes32 curves,
        bytes32 listing,
        bytes32 document
    ) public {
        onlyFor(
            GOVERNOR,
            caller,
            address(parameters),
            abi.encodeCall(parameters.adopt, (terms, curves, listing, document))
        );
    }

    function check_RiskParameters_setRiskSetter(address caller, address setter) public {
        onlyFor(
            GOVERNOR,
            caller,
            address(parameters),
            abi.encodeCall(parameters.setRiskSetter, (setter))
        );
    }

    /// @dev One term moves; what the others may do does not depend on who asks.
    function check_RiskParameters_tighten(address caller, uint32 trigger) public {
        Terms memory terms = firstTerms();
        terms.partialTriggerE6 = trigger;
        onlyFor(
            RISK_SETTER, caller, address(parameters), abi.encodeCall(parameters.tighten, (terms))
        );
    }

    function check_ProofRouter_register(address caller, uint8 kind, bool isValidity) public {
        toRouter(caller, abi.encodeCall(router.register, (kind, address(venue), isValidity)));
    }

    function check_ProofRouter_retire(address caller, uint8 kind) public {
        toRouter(caller, abi.encodeCall(router.retire, (kind)));
    }

    function check_ProofRouter_grantRole(address caller, bytes32 role, address account) public {
        toRouter(caller, abi.encodeCall(router.grantRole, (role, account)));
    }

    function check_ProofRouter_revokeRole(address caller, bytes32 role, address account) public {
        toRouter(caller, abi.encodeCall(router.revokeRole, (role, account)));
    }

    function byHolder(address caller, bytes memory data) private {
        onlyFor(HOLDER, caller, GUARDIAN_AT, data);
    }

    function toLimits(address holder, address caller, bytes memory data) private {
        onlyFor(holder, caller, address(limits), data);
    }

    function toRouter(address caller, bytes memory data) private {
        onlyFor(GOVERNOR, caller, address(router), data);
    }
}

contract GovernanceAccessPlanted is GovernanceAccessSymbolic {
    function isAllowed(address, address, address) internal pure override returns (bool) {
        return false;
    }
}
