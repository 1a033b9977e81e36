// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Totals} from "../../contracts/types/Batch.sol";
import {Restricted} from "./support/Restricted.sol";
import {SymbolicCustody} from "./support/SymbolicCustody.sol";

/// @dev C-1, C-4: whoever holds money obeys its role and nobody else, whatever he calls with.
contract CustodyAccessSymbolic is SymbolicCustody, Restricted {
    function setUp() public {
        deployCustody();
        deployFund();
        deployRegistry();
    }

    function check_CollateralVault_release(address caller, address to, uint128 units) public {
        depositFor(ME, 0, 1e12);
        onlyFor(
            address(books),
            EXIT_AT,
            caller,
            address(vault),
            abi.encodeCall(vault.release, (0, to, units))
        );
    }

    function check_CollateralVault_list(address caller, uint64 minimum) public {
        address token = address(new OtherToken());
        onlyFor(GOVERNOR, caller, address(vault), abi.encodeCall(vault.list, (token, minimum)));
    }

    function check_Inbox_push(
        address caller,
        address owner,
        uint8 subaccount,
        uint8 asset,
        uint128 amount
    ) public {
        onlyFor(
            address(vault),
            caller,
            INBOX_AT,
            abi.encodeCall(inbox.push, (owner, subaccount, asset, amount))
        );
    }

    function check_InsuranceFund_seed(address caller, uint256 amount) public {
        onlyFor(GOVERNOR, caller, address(fund), abi.encodeCall(fund.seed, (amount)));
    }

    function check_InsuranceFund_payKeeper(
        address caller,
        uint64 batchNo,
        bytes32 batchHash,
        address keeper,
        uint64 fee
    ) public {
        onlyFor(
            MANAGER,
            caller,
            address(fund),
            abi.encodeCall(fund.payKeeper, (batchNo, batchHash, keeper, fee))
        );
    }

    function check_InsuranceFund_record(
        address caller,
        uint64 batchNo,
        int128 insurance,
        uint128 contributed,
        uint128 drawn,
        uint128 shortfall
    ) public {
        Totals memory totals;
        (totals.insuranceE6, totals.contributedE6) = (insurance, contributed);
        (totals.drawnE6, totals.shortfallE6) = (drawn, shortfall);
        onlyFor(
            address(books), caller, address(fund), abi.encodeCall(fund.record, (batchNo, totals))
        );
    }

    function check_InsuranceFund_grantRole(address caller, bytes32 role, address account) public {
        onlyFor(GOVERNOR, caller, address(fund), abi.encodeCall(fund.grantRole, (role, account)));
    }

    function check_InsuranceFund_revokeRole(address caller, bytes32 role, address account) public {
        onlyFor(GOVERNOR, caller, address(fund), abi.encodeCall(fund.revokeRole, (role, account)));
    }

    function check_SequencerRegistry_setSequencer(address caller, address sequencer) public {
        onlyFor(
            GOVERNOR, caller, address(registry), abi.encodeCall(registry.setSequencer, (sequencer))
        );
    }

    function check_SequencerRegistry_setStandby(address caller, address standby) public {
        onlyFor(GOVERNOR, caller, address(registry), abi.encodeCall(registry.setStandby, (standby)));
    }

    function check_SequencerRegistry_promoteStandby(address caller) public {
        onlyFor(
            GUARDIAN,
            SEQUENCER,
            caller,
            address(registry),
            abi.encodeCall(registry.promoteStandby, ())
        );
    }

    function check_SequencerRegistry_slash(address caller, uint64 epoch, address challenger)
        public
    {
        onlyFor(
            COURT, caller, address(registry), abi.encodeCall(registry.slash, (epoch, challenger))
        );
    }
}

/// @dev All that the vault asks of what it lists.
contract OtherToken {
    uint8 public constant decimals = 8;
}

contract CustodyAccessPlanted is CustodyAccessSymbolic {
    function isAllowed(address, address, address) internal pure override returns (bool) {
        return false;
    }
}
