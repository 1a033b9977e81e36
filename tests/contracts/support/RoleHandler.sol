// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {IInbox} from "../../../contracts/interfaces/IInbox.sol";
import {AccessTable} from "./AccessTable.sol";
import {vm} from "./Vm.sol";

/// @dev People with roles who do whatever their roles let them, on a venue that holds a deposit.
contract RoleHandler is AccessTable {
    uint256 private constant WORDS = 12;
    /// @dev A length that makes no sense would eat all of it.
    uint256 private constant MOST_GAS = 1_000_000;
    uint128 public constant DEPOSIT = 1e12;
    address internal constant USER = address(0x05E6);

    uint256 public successes;

    /// @dev Not in the constructor, so that a planted bug can be told first.
    function start() public {
        deployVenue();
        loadTable();
        vm.warp(START + RAMP);
        cash.mint(address(this), DEPOSIT);
        cash.approve(address(vault()), DEPOSIT);
        vault().deposit(0, DEPOSIT, USER, 0);
        // The guardian's own calls go through its holder as well as from its address.
        cash.mint(contractOf("InsuranceFund"), DEPOSIT);
    }

    /// @dev One call of one person, with words that mostly decode.
    function act(uint256 which, uint256 who, bytes32 seed) external {
        Row memory row = rows[which % rows.length];
        string memory role = personOf(row, who);
        if (bytes(role).length == 0) return;
        bytes memory input = bytes.concat(row.selector);
        for (uint256 i = 0; i < WORDS; ++i) {
            input = bytes.concat(input, bytes32(word(uint8(seed[i]))));
        }
        vm.prank(roleOf(role));
        (bool done,) = row.target.call{gas: MOST_GAS}(input);
        if (done) successes += 1;
    }

    function pass(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 1 days);
    }

    function addRow(string memory name, address target, bytes4 selector) internal {
        rows.push(Row(name, target, selector, ",governor,", ""));
    }

    function vault() public view returns (ICollateralVault) {
        return ICollateralVault(contractOf("CollateralVault"));
    }

    function held() external view returns (uint256) {
        return cash.balanceOf(address(vault()));
    }

    function booked() external view returns (uint256) {
        return vault().bookedBalance(0);
    }

    /// @dev What was taken in for the insurance account since: the one thing that a role may move,
    /// into the vault.
    function seeded() external view returns (uint256) {
        return DEPOSIT - cash.balanceOf(contractOf("InsuranceFund"));
    }

    function balanceOfUser() external view returns (uint256) {
        return cash.balanceOf(USER);
    }

    function firstPrefix() external view returns (bytes32) {
        return IInbox(contractOf("Inbox")).prefixAt(1);
    }

    /// @dev A role of people that the row names; empty when it names contracts only.
    function personOf(Row memory row, uint256 who) private pure returns (string memory) {
        string[6] memory people =
            ["governor", "proposer", "guardian", "holder", "risk_setter", "sequencer"];
        for (uint256 i = 0; i < people.length; ++i) {
            string memory role = people[(who % people.length + i) % people.length];
            if (isOf(row, role)) return role;
        }
        return "";
    }

    /// @dev Small numbers, times, amounts and addresses.
    function word(uint8 seed) private view returns (uint256) {
        if (seed < 96) return seed % 8;
        if (seed < 128) return block.timestamp + seed;
        if (seed < 160) return 1e11;
        if (seed < 176) return uint160(USER);
        if (seed < 192) return uint160(address(cash));
        if (seed < 208) return uint160(contractOf("CollateralVault"));
        if (seed < 224) return uint160(STRANGER);
        return 300_000 + seed;
    }
}
