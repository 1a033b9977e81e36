// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VaultLimits} from "../../../../contracts/governance/VaultLimits.sol";
import {IGovernedLimits} from "../../../../contracts/interfaces/IGovernedLimits.sol";

/// @dev The limits with one thing wrong; everything else goes to the real ones, of which this is
/// governor and guardian.
contract PlantedLimits {
    enum Bug {
        RAISES_AT_ONCE,
        NO_RAMP,
        GUARDIAN_RAISES,
        NEVER_ENDS,
        STOPS_OUTFLOW,
        OPEN_TO_ALL
    }

    Bug private immutable _bug;
    address private immutable _governor;
    address private immutable _guardian;
    VaultLimits private immutable _real;

    mapping(uint8 asset => uint256) private _target;
    mapping(uint8 asset => uint256) private _bonus;
    bool private _wasPaused;
    bool private _isStopped;

    constructor(Bug bug, IGovernedLimits.Settings memory settings, uint96[] memory targets) {
        (_bug, _governor, _guardian) = (bug, settings.governor, settings.guardian);
        (settings.governor, settings.guardian) = (address(this), address(this));
        _real = new VaultLimits(settings, targets);
    }

    fallback(bytes calldata input) external returns (bytes memory) {
        return forward(input);
    }

    function setDepositCap(uint8 asset, uint96 target) external {
        _target[asset] = target;
        forward(msg.data);
    }

    function pauseDeposits(uint64) external {
        _wasPaused = true;
        forward(msg.data);
    }

    function lowerDepositCap(uint8 asset, uint128 cap, uint64) external {
        _bonus[asset] = cap;
        forward(msg.data);
    }

    function lowerOutflowCap(uint8, uint32, uint64) external {
        _isStopped = true;
        forward(msg.data);
    }

    function areDepositsPaused() external view returns (bool) {
        return _bug == Bug.NEVER_ENDS ? _wasPaused : _real.areDepositsPaused();
    }

    function depositCap(uint8 asset) external view returns (uint256) {
        if (_bug == Bug.NO_RAMP && _target[asset] != 0) return _target[asset];
        uint256 cap = _real.depositCap(asset);
        return _bug == Bug.GUARDIAN_RAISES ? cap + _bonus[asset] : cap;
    }

    function outflowCap(uint8 asset, uint256 held) external view returns (uint256) {
        if (_bug == Bug.STOPS_OUTFLOW && _isStopped) return 0;
        (IGovernedLimits.OutflowLimit memory raised,) = _real.pendingOutflow(asset);
        uint256 cap = _real.outflowCap(asset, held);
        return _bug == Bug.RAISES_AT_ONCE && raised.floor > cap ? raised.floor : cap;
    }

    function forward(bytes calldata input) private returns (bytes memory) {
        if (_bug != Bug.OPEN_TO_ALL && msg.sender != _governor) require(msg.sender == _guardian);
        (bool done, bytes memory answer) = address(_real).call(input);
        require(done);
        return answer;
    }
}
