// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../../contracts/exit/Exit.sol";
import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {AttestedVerifier} from "../../../contracts/proof/AttestedVerifier.sol";
import {ProofRouter} from "../../../contracts/proof/ProofRouter.sol";
import {SequencerRegistry} from "../../../contracts/settlement/SequencerRegistry.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./HostileTokens.sol";
import {Answers, SettlementRig} from "./SettlementRig.sol";
import {SetLimits} from "./VaultRig.sol";
import {vm} from "./Vm.sol";

/// @dev All of custody around a real settlement contract: vault, inbox and exit, each made by a
/// virtual function, so that a test can put a broken one in its place.
abstract contract CustodyRig is SettlementRig {
    /// @dev A quarter of what is held, or this much, may leave in an hour.
    uint256 internal constant OUTFLOW_FLOOR = 1e9;
    uint256 internal constant OUTFLOW_PERCENT = 25;

    SetLimits internal limits;
    Exit internal exit;

    function deployCustody() internal {
        vm.warp(START);
        vm.roll(1000);
        (cash, collateral) = (makeCash(), new PlainToken(18));
        answers = new Answers();
        limits = new SetLimits();
        limits.setOutflow(OUTFLOW_FLOOR, OUTFLOW_PERCENT);
        router = new ProofRouter(address(this), 1 days);
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(verifier), false);

        uint256 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address inboxAt = vm.computeCreateAddress(address(this), nonce + 1);
        address exitAt = vm.computeCreateAddress(address(this), nonce + 2);
        address fundAt = vm.computeCreateAddress(address(this), nonce + 3);
        address settlementAt = vm.computeCreateAddress(address(this), nonce + 5);
        vault = makeVault(
            ICollateralVault.Config(inboxAt, settlementAt, exitAt, address(limits), address(this)),
            twoAssets()
        );
        inbox = makeInbox(vaultAt, settlementAt);
        exit = makeExit(vaultAt, inboxAt, settlementAt);
        insurance = new InsuranceFund(
            address(cash), vaultAt, settlementAt, address(answers), address(this)
        );
        registry = new SequencerRegistry(registryConfig(fundAt));
        settlement = new Settlement(config(vaultAt, inboxAt, fundAt));
        vm.assertEq(address(settlement), settlementAt);
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
    }

    function makeCash() internal virtual returns (PlainToken) {
        return new PlainToken(6);
    }

    function makeVault(
        ICollateralVault.Config memory wiring,
        ICollateralVault.NewAsset[] memory listed
    ) internal virtual returns (CollateralVault) {
        return new CollateralVault(wiring, listed);
    }

    function makeInbox(address vaultAt, address settlementAt) internal virtual returns (Inbox) {
        return new Inbox(vaultAt, settlementAt);
    }

    function makeExit(address vaultAt, address inboxAt, address settlementAt)
        internal
        virtual
        returns (Exit)
    {
        return new Exit(vaultAt, inboxAt, settlementAt);
    }

    function twoAssets() private view returns (ICollateralVault.NewAsset[] memory list) {
        list = new ICollateralVault.NewAsset[](2);
        list[0] = ICollateralVault.NewAsset(address(cash), 1);
        list[1] = ICollateralVault.NewAsset(address(collateral), 1);
    }
}
