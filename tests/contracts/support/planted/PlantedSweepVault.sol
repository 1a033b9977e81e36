// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ICollateralVault} from "../../../../contracts/interfaces/ICollateralVault.sol";
import {CollateralVault} from "../../../../contracts/vault/CollateralVault.sol";

/// @dev A vault with a way out for the governor, as upgrades and rescues make one.
contract PlantedSweepVault is CollateralVault {
    constructor(ICollateralVault.Config memory config, NewAsset[] memory assets)
        CollateralVault(config, assets)
    {}

    function sweep(uint256 amount) external {
        require(msg.sender == governor);
        require(IERC20(token(0)).transfer(msg.sender, amount));
    }
}
