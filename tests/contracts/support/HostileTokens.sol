// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @dev A mintable token with the decimals of cash; the base of the hostile ones.
contract PlainToken is ERC20 {
    uint8 private immutable DECIMALS;

    constructor(uint8 decimals_) ERC20("Plain", "PLAIN") {
        DECIMALS = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public view virtual override returns (uint8) {
        return DECIMALS;
    }
}

/// @dev Keeps one unit of every transfer between accounts, once switched on.
contract FeeToken is PlainToken(6) {
    bool public charging = true;

    function setCharging(bool charging_) external {
        charging = charging_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (charging && from != address(0) && to != address(0)) super._update(to, address(1), 1);
    }
}

/// @dev Takes one unit more from the sender than it was asked to move.
contract SurchargeToken is PlainToken(6) {
    bool public charging;

    function setCharging(bool charging_) external {
        charging = charging_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (charging && from != address(0)) super._update(from, address(1), 1);
    }
}

/// @dev Answers false and moves nothing.
contract FalseToken is PlainToken(6) {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Answers true and moves nothing.
contract LyingToken is PlainToken(6) {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Moves the tokens and answers nothing, as some large tokens do.
contract SilentToken {
    uint8 public constant decimals = 6;
    mapping(address account => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address, uint256) external {}

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Makes one call of the attacker's choice in the middle of a transfer.
contract ReentrantToken is PlainToken(6) {
    address private _target;
    bytes private _data;
    bool public entered;
    bytes public failure;

    function arm(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        (entered, failure) = target.call(_data);
    }
}

/// @dev Takes permits.
contract PermitToken is PlainToken(6), ERC20Permit("Permit") {
    function decimals() public pure override(ERC20, PlainToken) returns (uint8) {
        return 6;
    }
}

/// @dev Refuses to pay one receiver, as tokens with a list of outcasts do.
contract BlockingToken is PlainToken(6) {
    address public outcast;

    function setOutcast(address outcast_) external {
        outcast = outcast_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(to != outcast, "outcast");
        super._update(from, to, amount);
    }
}

/// @dev Refuses to move nothing.
contract NothingToken is PlainToken(6) {
    function _update(address from, address to, uint256 amount) internal override {
        require(amount != 0, "nothing");
        super._update(from, to, amount);
    }
}
