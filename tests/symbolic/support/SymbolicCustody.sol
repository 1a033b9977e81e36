// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../../contracts/exit/Exit.sol";
import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {ISequencerRegistry} from "../../../contracts/interfaces/ISequencerRegistry.sol";
import {SequencerRegistry} from "../../../contracts/settlement/SequencerRegistry.sol";
import {BatchStatus} from "../../../contracts/types/Batch.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "../../contracts/support/HostileTokens.sol";
import {FinalBooks, SetLimits} from "../../contracts/support/VaultRig.sol";
import {vm} from "../../contracts/support/Vm.sol";

/// @dev Knows one batch too, for what the insurance fund asks.
contract OneBatch is FinalBooks {
    bytes32 public constant HASH = "batch";
    BatchStatus private _status = BatchStatus.COMMITTED;

    function setStatus(BatchStatus status) external {
        _status = status;
    }

    function batchOf(uint64) external view returns (BatchStatus, bytes32) {
        return (_status, HASH);
    }
}

/// @dev The contracts that hold money, each with its real code. Those that know one another are put
/// where the others expect them: Halmos predicts no addresses. None of these has storage at first.
abstract contract SymbolicCustody {
    address internal constant INBOX_AT = address(0x1000001);
    address internal constant EXIT_AT = address(0x1000002);
    address internal constant GOVERNOR = address(0x2000001);
    address internal constant GUARDIAN = address(0x2000002);
    address internal constant COURT = address(0x2000003);
    address internal constant MANAGER = address(0x2000004);
    address internal constant SEQUENCER = address(0x2000005);
    address internal constant STANDBY = address(0x2000006);
    address internal constant ME = address(0x3000001);
    uint64 internal constant UNSTAKE_DELAY = 2 days;
    uint96 internal constant MINIMUM_STAKE = 1e9;

    OneBatch internal books;
    SetLimits internal limits;
    PlainToken internal cash;
    PlainToken internal collateral;
    CollateralVault internal vault;
    Inbox internal inbox;
    Exit internal exit;
    InsuranceFund internal fund;
    SequencerRegistry internal registry;

    function deployCustody() internal {
        vm.warp(1_800_000_000);
        (books, limits) = (new OneBatch(), new SetLimits());
        (cash, collateral) = (new PlainToken(6), new PlainToken(8));
        ICollateralVault.NewAsset[] memory assets = new ICollateralVault.NewAsset[](2);
        assets[0] = ICollateralVault.NewAsset(address(cash), 1);
        assets[1] = ICollateralVault.NewAsset(address(collateral), 1);
        vault = new CollateralVault(
            ICollateralVault.Config(INBOX_AT, settlementAt(), EXIT_AT, address(limits), GOVERNOR),
            assets
        );
        vm.etch(INBOX_AT, address(new Inbox(address(vault), settlementAt())).code);
        vm.etch(EXIT_AT, address(newExit()).code);
        (inbox, exit) = (Inbox(INBOX_AT), Exit(EXIT_AT));
    }

    function settlementAt() internal view virtual returns (address) {
        return address(books);
    }

    /// @dev So that a contract `..Planted` can put a broken one in its place.
    function newExit() internal virtual returns (Exit) {
        return new Exit(address(vault), INBOX_AT, settlementAt());
    }

    function deployFund() internal {
        fund = new InsuranceFund(address(cash), address(vault), address(books), MANAGER, GOVERNOR);
        cash.mint(address(fund), 1e12);
    }

    function deployRegistry() internal {
        registry = new SequencerRegistry(
            ISequencerRegistry.Config(
                address(cash),
                COURT,
                address(fund),
                GOVERNOR,
                GUARDIAN,
                MINIMUM_STAKE,
                UNSTAKE_DELAY,
                SEQUENCER,
                STANDBY
            )
        );
    }

    function depositFor(address owner, uint8 asset, uint256 units) internal {
        PlainToken token = asset == 0 ? cash : collateral;
        token.mint(address(this), units);
        token.approve(address(vault), units);
        vault.deposit(asset, units, owner, 0);
    }
}
