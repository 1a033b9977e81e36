// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../../../contracts/governance/Guardian.sol";
import {PlimsollTimelock} from "../../../contracts/governance/PlimsollTimelock.sol";
import {VaultLimits} from "../../../contracts/governance/VaultLimits.sol";
import {IFreezable} from "../../../contracts/interfaces/IFreezable.sol";
import {IGovernedLimits} from "../../../contracts/interfaces/IGovernedLimits.sol";
import {IPlimsollTimelock} from "../../../contracts/interfaces/IPlimsollTimelock.sol";
import {IRiskParameters} from "../../../contracts/interfaces/IRiskParameters.sol";
import {IStandby} from "../../../contracts/interfaces/IStandby.sol";
import {RiskParameters} from "../../../contracts/risk/RiskParameters.sol";
import {Terms} from "../../../contracts/types/Liquidation.sol";
import {vm} from "./Vm.sol";

/// @dev The two things of the venue that governance asks for: its freeze and its standby.
contract Surroundings is IFreezable, IStandby {
    bool public isFrozen;
    uint256 public promotions;
    address public promotedBy;

    function freeze() external {
        isFrozen = true;
    }

    function promoteStandby() external {
        promotions += 1;
        promotedBy = msg.sender;
    }
}

/// @dev All of governance, wired as a deployment wires it, with the periods of production.
contract GovernanceRig {
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant DELAY = 12 days;
    uint64 internal constant LIFE = 7 days;
    uint64 internal constant RAMP = 7 days;
    uint64 internal constant RAISE_DELAY = 12 days;
    uint64 internal constant WINDOW = 1 days;
    uint64 internal constant STEP_PERIOD = 1 days;
    uint64 internal constant GRACE = 1 hours;
    uint32 internal constant MAX_STEP_E6 = 100_000;
    uint96 internal constant CASH_FLOOR = 1e12;
    uint96 internal constant TOKEN_FLOOR = 1e11;
    uint32 internal constant SHARE_E6 = 250_000;
    uint96 internal constant CASH_TARGET = 7e13;

    address internal constant PROPOSER = address(0xA11CE);
    address internal constant HOLDER = address(0x6A2D);
    address internal constant RISK_SETTER = address(0x2157);
    address internal constant STRANGER = address(0xBAD);

    Surroundings internal venue;
    PlimsollTimelock internal timelock;
    Guardian internal guardian;
    IGovernedLimits internal limits;
    IRiskParameters internal parameters;

    function deployGovernance() internal {
        vm.warp(START);
        venue = new Surroundings();
        uint64 nonce = vm.getNonce(address(this));
        address timelockAt = vm.computeCreateAddress(address(this), nonce);
        address guardianAt = vm.computeCreateAddress(address(this), nonce + 1);
        address limitsAt = vm.computeCreateAddress(address(this), nonce + 2);
        timelock = newTimelock(guardianAt);
        guardian = new Guardian(HOLDER, timelockAt, limitsAt, address(venue));
        limits = newLimits(timelockAt, guardianAt);
        parameters = newParameters(timelockAt, RISK_SETTER);
    }

    function newTimelock(address guardianAt) internal virtual returns (PlimsollTimelock) {
        return new PlimsollTimelock(periods(), DELAY, LIFE, proposers(), guardianAt, address(venue));
    }

    function newLimits(address governor, address guardianAt)
        internal
        virtual
        returns (IGovernedLimits)
    {
        return new VaultLimits(settings(governor, guardianAt), targets());
    }

    function newParameters(address governor, address riskSetter)
        internal
        virtual
        returns (IRiskParameters)
    {
        return new RiskParameters(
            config(governor, riskSetter), firstTerms(), "curves", "listing", "document"
        );
    }

    /// @dev What the governor does, announced and executed.
    function govern(address target, bytes memory data) internal {
        propose(target, data);
        vm.warp(block.timestamp + DELAY);
        execute(target, data);
    }

    function propose(address target, bytes memory data) internal returns (bytes32 id) {
        vm.prank(PROPOSER);
        timelock.schedule(target, 0, data, 0, salt(data), DELAY);
        return timelock.hashOperation(target, 0, data, 0, salt(data));
    }

    function execute(address target, bytes memory data) internal {
        timelock.execute(target, 0, data, 0, salt(data));
    }

    function salt(bytes memory data) internal pure returns (bytes32) {
        return keccak256(data);
    }

    function config(address governor, address riskSetter)
        internal
        pure
        returns (IRiskParameters.Config memory)
    {
        return IRiskParameters.Config(governor, riskSetter, MAX_STEP_E6, STEP_PERIOD, GRACE);
    }

    function firstTerms() internal pure returns (Terms memory) {
        return Terms(800_000, 1_050_000, 1_000_000, 250_000, 500_000, 850_000, 5e6, 5e6);
    }

    function settings(address governor, address guardian_)
        internal
        pure
        returns (IGovernedLimits.Settings memory)
    {
        return IGovernedLimits.Settings(
            governor, guardian_, RAMP, RAISE_DELAY, WINDOW, CASH_FLOOR, TOKEN_FLOOR, SHARE_E6
        );
    }

    function targets() internal pure returns (uint96[] memory list) {
        list = new uint96[](1);
        list[0] = CASH_TARGET;
    }

    /// @dev Their sum is 12 days.
    function periods() internal pure returns (IPlimsollTimelock.Periods memory) {
        return IPlimsollTimelock.Periods(7 days, 1 days, 1 days, 3 days);
    }

    function proposers() internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = PROPOSER;
    }
}
