// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {IFreezable} from "../interfaces/IFreezable.sol";
import {IPlimsollTimelock} from "../interfaces/IPlimsollTimelock.sol";

/// @title PlimsollTimelock
/// @dev Anyone may execute a proposal that is ready: the delay is what protects, and a proposer who
/// had to come back could choose the hour.
contract PlimsollTimelock is IPlimsollTimelock, TimelockController {
    uint64 private constant APPROVAL_LIFE_MAX = 30 days;

    /// @inheritdoc IPlimsollTimelock
    uint256 public immutable minimumDelay;

    /// @inheritdoc IPlimsollTimelock
    uint64 public immutable approvalLife;

    /// @notice May cancel proposals, but for those about itself.
    address public immutable guardian;

    /// @notice Whose freeze ends governance.
    IFreezable public immutable settlement;

    mapping(bytes32 id => bool) private _isAboutGuardian;

    /// @param delay Between a proposal and its execution, at least the sum of `periods`. [s]
    /// @param proposers May propose and cancel.
    constructor(
        Periods memory periods,
        uint256 delay,
        uint64 approvalLife_,
        address[] memory proposers,
        address guardian_,
        address settlement_
    ) TimelockController(delay, proposers, _anyone(), address(0)) {
        require(guardian_ != address(0) && settlement_ != address(0), ZeroAddress());
        require(
            approvalLife_ > 0 && approvalLife_ <= APPROVAL_LIFE_MAX,
            ApprovalLifeOutOfRange(approvalLife_, APPROVAL_LIFE_MAX)
        );
        minimumDelay = uint256(periods.forcedDeadline) + periods.attestedWindow
            + periods.maxExtension + periods.exitSlack;
        require(delay >= minimumDelay, DelayTooShort(delay, minimumDelay));
        approvalLife = approvalLife_;
        guardian = guardian_;
        settlement = IFreezable(settlement_);
        _grantRole(CANCELLER_ROLE, guardian_);
    }

    /// @inheritdoc TimelockController
    function schedule(
        address target,
        uint256 value,
        bytes calldata data,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) public override {
        super.schedule(target, value, data, predecessor, salt, delay);
        if (target == guardian) {
            _isAboutGuardian[hashOperation(target, value, data, predecessor, salt)] = true;
        }
    }

    /// @inheritdoc TimelockController
    function execute(
        address target,
        uint256 value,
        bytes calldata payload,
        bytes32 predecessor,
        bytes32 salt
    ) public payable override {
        _checkExecutable(hashOperation(target, value, payload, predecessor, salt));
        super.execute(target, value, payload, predecessor, salt);
    }

    /// @inheritdoc TimelockController
    function executeBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) public payable override {
        _checkExecutable(hashOperationBatch(targets, values, payloads, predecessor, salt));
        super.executeBatch(targets, values, payloads, predecessor, salt);
    }

    /// @inheritdoc IPlimsollTimelock
    function cancel(bytes32 id) public override(IPlimsollTimelock, TimelockController) {
        require(msg.sender != guardian || !_isAboutGuardian[id], AboutGuardian(id));
        super.cancel(id);
    }

    /// @inheritdoc TimelockController
    /// @dev Only the timelock itself, by a proposal; never below `minimumDelay`.
    function updateDelay(uint256 newDelay) public override {
        super.updateDelay(newDelay);
        require(newDelay >= minimumDelay, DelayTooShort(newDelay, minimumDelay));
    }

    /// @inheritdoc TimelockController
    /// @dev An expired proposal is as if it had never been made: it may be proposed anew.
    function getOperationState(bytes32 id) public view override returns (OperationState) {
        return _isExpired(id) ? OperationState.Unset : super.getOperationState(id);
    }

    /// @inheritdoc IPlimsollTimelock
    function expiresAt(bytes32 id) public view returns (uint256) {
        uint256 readyAt = getTimestamp(id);
        return readyAt > DONE_TIMESTAMP ? readyAt + approvalLife : 0;
    }

    function _checkExecutable(bytes32 id) private view {
        require(!settlement.isFrozen(), VenueFrozen());
        require(!_isExpired(id), ProposalExpired(id, expiresAt(id)));
    }

    function _isExpired(bytes32 id) private view returns (bool) {
        uint256 end = expiresAt(id);
        // A validator can move it by seconds, of a life of days.
        // forge-lint: disable-next-line(block-timestamp)
        return end != 0 && block.timestamp >= end;
    }

    /// @dev The executor that stands for everybody.
    function _anyone() private pure returns (address[] memory) {
        return new address[](1);
    }
}
