// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title DevToken
/// @notice A token that anyone may mint, for local chains only.
contract DevToken is ERC20 {
    /// @notice This token has no value and must not appear where others could think it has.
    error NotADevelopmentChain(uint256 chainId);

    uint256 private constant DEVELOPMENT_CHAIN = 31_337;

    uint8 private immutable DECIMALS;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        if (block.chainid != DEVELOPMENT_CHAIN) revert NotADevelopmentChain(block.chainid);
        DECIMALS = decimals_;
    }

    /// @notice Makes `amount` out of nothing. [token units]
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice The number of decimals of the token's unit.
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }
}
