// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../../contracts/challenge/Court.sol";
import {Exit} from "../../../contracts/exit/Exit.sol";
import {Guardian} from "../../../contracts/governance/Guardian.sol";
import {PlimsollTimelock} from "../../../contracts/governance/PlimsollTimelock.sol";
import {VaultLimits} from "../../../contracts/governance/VaultLimits.sol";
import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {ICourt} from "../../../contracts/interfaces/ICourt.sol";
import {IInsuranceFund} from "../../../contracts/interfaces/IInsuranceFund.sol";
import {IOracleHub} from "../../../contracts/interfaces/IOracleHub.sol";
import {IRiskParameters} from "../../../contracts/interfaces/IRiskParameters.sol";
import {ISequencerRegistry} from "../../../contracts/interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {LiquidationManager} from "../../../contracts/liquidation/LiquidationManager.sol";
import {OracleHub} from "../../../contracts/oracle/OracleHub.sol";
import {ProofRouter} from "../../../contracts/proof/ProofRouter.sol";
import {SequencerRegistry} from "../../../contracts/settlement/SequencerRegistry.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {Grace} from "../../../contracts/types/OracleUse.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {GovernanceRig} from "./GovernanceRig.sol";
import {PlainToken} from "./HostileTokens.sol";
import {vm} from "./Vm.sol";

/// @dev The whole venue of real contracts, wired as in a deployment: every address in it is the one
/// that holds its role, by the name that scripts/access_roles.toml gives it.
contract AccessVenue is GovernanceRig {
    address internal constant SEQUENCER = address(0x5E9);

    mapping(bytes32 name => address) private _contracts;
    mapping(bytes32 name => address) private _roles;
    PlainToken internal cash;

    error Unknown(string name);

    function deployVenue() internal {
        vm.warp(START);
        cash = new PlainToken(6);
        string[14] memory names = [
            "PlimsollTimelock",
            "Guardian",
            "VaultLimits",
            "RiskParameters",
            "ProofRouter",
            "OracleHub",
            "InsuranceFund",
            "CollateralVault",
            "Inbox",
            "Exit",
            "SequencerRegistry",
            "LiquidationManager",
            "Settlement",
            "Court"
        ];
        uint256 nonce = vm.getNonce(address(this));
        for (uint256 i = 0; i < names.length; ++i) {
            _contracts[keccak256(bytes(names[i]))] =
                vm.computeCreateAddress(address(this), nonce + i);
        }
        deployGovernanceOf();
        deployCustody();
        deploySettlement();
        vm.assertEq(vm.getNonce(address(this)), nonce + names.length);
        nameRoles();
    }

    /// @dev So that a test can put a broken one in its place.
    function newVault(
        ICollateralVault.Config memory made,
        ICollateralVault.NewAsset[] memory assets
    ) internal virtual {
        new CollateralVault(made, assets);
    }

    function contractOf(string memory name) internal view returns (address found) {
        found = _contracts[keccak256(bytes(name))];
        if (found == address(0)) revert Unknown(name);
    }

    function roleOf(string memory name) internal view returns (address found) {
        found = _roles[keccak256(bytes(name))];
        if (found == address(0)) revert Unknown(name);
    }

    function deployGovernanceOf() private {
        address governor = contractOf("PlimsollTimelock");
        address guardianAt = contractOf("Guardian");
        new PlimsollTimelock(
            periods(), DELAY, LIFE, proposers(), guardianAt, contractOf("Settlement")
        );
        new Guardian(HOLDER, governor, contractOf("VaultLimits"), contractOf("SequencerRegistry"));
        new VaultLimits(settings(governor, guardianAt), targets());
        newParameters(governor, RISK_SETTER);
        new ProofRouter(governor, 3 days);
        address[] memory signers = new address[](3);
        (signers[0], signers[1], signers[2]) = (address(1), address(2), address(3));
        IOracleHub.Limits memory limits = IOracleHub.Limits(1, 50_000, 60e9, 1e9);
        new OracleHub(governor, limits, Grace(3, 60), signers, 3);
    }

    function deployCustody() private {
        address settlement = contractOf("Settlement");
        address vault = contractOf("CollateralVault");
        address governor = contractOf("PlimsollTimelock");
        new InsuranceFund(
            address(cash), vault, settlement, contractOf("LiquidationManager"), governor
        );
        ICollateralVault.NewAsset[] memory assets = new ICollateralVault.NewAsset[](1);
        assets[0] = ICollateralVault.NewAsset(address(cash), 1);
        newVault(
            ICollateralVault.Config(
                contractOf("Inbox"),
                settlement,
                contractOf("Exit"),
                contractOf("VaultLimits"),
                governor
            ),
            assets
        );
        new Inbox(vault, settlement);
        new Exit(vault, contractOf("Inbox"), settlement);
    }

    function deploySettlement() private {
        new SequencerRegistry(
            ISequencerRegistry.Config(
                address(cash),
                contractOf("Court"),
                contractOf("InsuranceFund"),
                contractOf("PlimsollTimelock"),
                contractOf("Guardian"),
                1e9,
                3 days,
                SEQUENCER,
                STRANGER
            )
        );
        ICourt.Config memory court = ICourt.Config(
            address(cash),
            contractOf("Settlement"),
            contractOf("SequencerRegistry"),
            contractOf("InsuranceFund"),
            contractOf("PlimsollTimelock"),
            1e9,
            1 hours
        );
        new LiquidationManager(
            ISettlement(contractOf("Settlement")),
            IOracleHub(contractOf("OracleHub")),
            IRiskParameters(contractOf("RiskParameters")),
            IInsuranceFund(contractOf("InsuranceFund"))
        );
        new Settlement(settlementConfig());
        new Court(court, new uint8[](0), new address[](0));
    }

    function nameRoles() private {
        _roles[keccak256("governor")] = contractOf("PlimsollTimelock");
        _roles[keccak256("proposer")] = PROPOSER;
        _roles[keccak256("guardian")] = contractOf("Guardian");
        _roles[keccak256("holder")] = HOLDER;
        _roles[keccak256("risk_setter")] = RISK_SETTER;
        _roles[keccak256("sequencer")] = SEQUENCER;
        _roles[keccak256("vault")] = contractOf("CollateralVault");
        _roles[keccak256("settlement")] = contractOf("Settlement");
        _roles[keccak256("exit")] = contractOf("Exit");
        _roles[keccak256("court")] = contractOf("Court");
        _roles[keccak256("liquidation_manager")] = contractOf("LiquidationManager");
    }

    function settlementConfig() private view returns (ISettlement.Config memory) {
        return ISettlement.Config({
            vault: contractOf("CollateralVault"),
            inbox: contractOf("Inbox"),
            liquidationManager: contractOf("LiquidationManager"),
            riskParameters: contractOf("RiskParameters"),
            insuranceFund: contractOf("InsuranceFund"),
            proofRouter: contractOf("ProofRouter"),
            registry: contractOf("SequencerRegistry"),
            court: contractOf("Court"),
            provenWindow: 2 hours,
            attestedWindow: 1 days,
            maxExtension: 1 days,
            verifyWindow: 1 days,
            maxOpenBatches: 32,
            maxSkew: 60,
            maxLag: 1 days,
            forcedDeadline: 7 days,
            liveness: 3 days,
            repairTime: 3 days,
            engineHash: "engine"
        });
    }
}
