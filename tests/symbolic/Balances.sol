// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchStatus} from "../../contracts/types/Batch.sol";
import {vm} from "../contracts/support/Vm.sol";
import {solver} from "./support/Restricted.sol";
import {SymbolicCustody} from "./support/SymbolicCustody.sol";

/// @dev INV-1, C-1: one call, of any function, by anyone, with any arguments, lowers what a ledger
/// owes somebody only by what that somebody is paid in it.
abstract contract Balances is SymbolicCustody {
    uint256 internal constant OWED = 1e9;

    function setUp() public {
        deployCustody();
        deployFund();
        deployRegistry();
    }

    /// @dev All that a ledger owes, and what its owner has in his hands.
    function mine(uint256 owed) private view returns (uint256) {
        return owed + (isPaidCounted() ? cash.balanceOf(ME) : 0);
    }

    function isPaidCounted() internal pure virtual returns (bool) {
        return true;
    }

    /// @dev Only settlement and exit are left out: what they say is owed.
    function vaultOwes(address caller) internal {
        depositFor(ME, 0, 3 * OWED);
        limits.setOutflow(OWED, 0);
        books.pay(vault, 0, ME, 2 * OWED);
        vm.warp(block.timestamp + 1 hours);
        vm.assume(caller != address(books) && caller != EXIT_AT && caller != ME);
        uint256 before = mine(vault.owedTo(0, ME));
        act(caller, address(vault), "CollateralVault");
        assert(mine(vault.owedTo(0, ME)) >= before);
    }

    /// @dev The batch is final, or still open: not dead.
    function fundOwes(address caller, bool isFinal) internal {
        bytes32 batchHash = books.HASH();
        vm.prank(MANAGER);
        fund.payKeeper(1, batchHash, ME, uint64(OWED));
        if (isFinal) books.setStatus(BatchStatus.FINALIZED);
        uint256 before = mine(creditOfMe());
        act(caller, address(fund), "InsuranceFund");
        assert(mine(creditOfMe()) >= before);
    }

    /// @dev I am no sequencer; a stake may be on its way out, which is mine all the same.
    function registryOwes(address caller, uint32 waited) internal {
        cash.mint(ME, OWED);
        vm.startPrank(ME);
        cash.approve(address(registry), OWED);
        registry.stake(OWED);
        registry.requestUnstake(OWED / 2);
        vm.stopPrank();
        vm.warp(block.timestamp + waited);
        uint256 before = mine(stakeOfMe() + registry.rewardOf(ME));
        act(caller, address(registry), "SequencerRegistry");
        uint256 later = mine(stakeOfMe() + registry.rewardOf(ME));
        assert(later >= before);
    }

    function act(address caller, address target, string memory name) private {
        bytes memory data = solver.createCalldata(name);
        vm.prank(caller);
        (bool isDone,) = target.call(data);
        vm.assume(isDone);
    }

    function creditOfMe() private view returns (uint256 amount) {
        (, amount) = fund.creditOf(books.HASH(), ME);
    }

    function stakeOfMe() private view returns (uint256 amount) {
        (amount,,) = registry.stakeOf(ME);
    }
}

contract BalancesSymbolic is Balances {
    function check_no_call_lowers_what_the_vault_owes(address caller) public {
        vaultOwes(caller);
    }

    function check_no_call_lowers_what_the_fund_owes(address caller, bool isFinal) public {
        fundOwes(caller, isFinal);
    }

    function check_no_call_lowers_what_the_registry_owes(address caller, uint32 waited) public {
        registryOwes(caller, waited);
    }
}

/// @dev Without what is paid, every ledger loses: the calls that pay are among those tried.
contract BalancesPlanted is Balances {
    function isPaidCounted() internal pure override returns (bool) {
        return false;
    }

    function check_no_call_lowers_what_the_vault_owes(address caller) public {
        vaultOwes(caller);
    }

    function check_no_call_lowers_what_the_fund_owes(address caller) public {
        fundOwes(caller, true);
    }

    function check_no_call_lowers_what_the_registry_owes(address caller, uint32 waited) public {
        registryOwes(caller, waited);
    }
}
