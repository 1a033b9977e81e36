// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {ISequencerRegistry} from "../interfaces/ISequencerRegistry.sol";

/// @title SequencerRegistry
contract SequencerRegistry is ISequencerRegistry, EIP712 {
    using SafeERC20 for IERC20;

    /// @dev One slot, which every commit reads.
    struct Current {
        address sequencer;
        uint64 epoch;
        bool isBonded;
    }

    /// @dev One slot. 96 bits hold any supply of the cash.
    struct Stake {
        uint96 amount;
        uint96 leaving; // part of it
        uint64 due; // [s since 1970]
    }

    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(uint64 epoch,uint64 seq,bytes32 tip,uint64 inboxCursor,bytes32 inboxPrefixHash)"
    );

    // What they are is said in ISequencerRegistry.Config.
    address public immutable cash;
    address public immutable court;
    address public immutable insuranceFund;
    address public immutable governor;
    address public immutable guardian;
    uint256 public immutable minimumStake; // [USD e-6]
    /// @inheritdoc ISequencerRegistry
    uint64 public immutable unstakeDelay; // [s]

    Current private _current;
    /// @inheritdoc ISequencerRegistry
    address public standby;
    /// @inheritdoc ISequencerRegistry
    uint256 public owedToInsurance;
    /// @inheritdoc ISequencerRegistry
    mapping(uint64 epoch => address) public sequencerOf;
    /// @inheritdoc ISequencerRegistry
    mapping(address owner => Stake) public stakeOf;
    /// @inheritdoc ISequencerRegistry
    mapping(address challenger => uint256) public rewardOf;
    mapping(uint64 epoch => bool) private _equivocated;
    /// @inheritdoc ISequencerRegistry
    mapping(address finder => mapping(bytes32 commitment => uint256)) public announcedIn;

    modifier onlyGovernor() {
        _requireGovernor();
        _;
    }

    constructor(Config memory config) EIP712("Plimsoll", "1") {
        if (
            config.cash == address(0) || config.court == address(0)
                || config.insuranceFund == address(0) || config.governor == address(0)
                || config.guardian == address(0) || config.sequencer == address(0)
        ) revert ZeroAddress();
        if (config.minimumStake == 0) revert ZeroMinimumStake();
        cash = config.cash;
        court = config.court;
        insuranceFund = config.insuranceFund;
        governor = config.governor;
        guardian = config.guardian;
        minimumStake = config.minimumStake;
        unstakeDelay = config.unstakeDelay;
        _begin(config.sequencer);
        _setStandby(config.standby);
    }

    /// @inheritdoc ISequencerRegistry
    function stake(uint256 amount) external {
        if (amount == 0) revert NothingToMove();
        Stake storage own = stakeOf[msg.sender];
        own.amount += SafeCast.toUint96(amount);
        _weigh();
        emit Staked(msg.sender, amount, own.amount);
        IERC20(cash).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc ISequencerRegistry
    function requestUnstake(uint256 amount) external {
        if (amount == 0) revert NothingToMove();
        Stake storage own = stakeOf[msg.sender];
        uint256 free = own.amount - own.leaving;
        if (amount > free) revert InsufficientStake(amount, free);
        own.leaving += SafeCast.toUint96(amount);
        own.due = SafeCast.toUint64(block.timestamp + unstakeDelay);
        _weigh();
        emit UnstakeRequested(msg.sender, amount, own.due);
    }

    /// @inheritdoc ISequencerRegistry
    function unstake() external returns (uint256 amount) {
        Stake memory own = stakeOf[msg.sender];
        amount = own.leaving;
        if (amount == 0) revert NothingToMove();
        // The few seconds that a validator may shift matter little to this delay.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < own.due) revert UnstakeNotDue(own.due, block.timestamp);
        stakeOf[msg.sender] = Stake(own.amount - own.leaving, 0, 0);
        emit Unstaked(msg.sender, amount);
        IERC20(cash).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ISequencerRegistry
    function setSequencer(address sequencer_) external onlyGovernor {
        if (sequencer_ == address(0)) revert ZeroAddress();
        _begin(sequencer_);
    }

    /// @inheritdoc ISequencerRegistry
    function setStandby(address standby_) external onlyGovernor {
        _setStandby(standby_);
    }

    /// @inheritdoc ISequencerRegistry
    function promoteStandby() external {
        if (msg.sender != guardian && msg.sender != _current.sequencer) {
            revert NotGuardianOrSequencer(msg.sender);
        }
        address promoted = standby;
        if (promoted == address(0)) revert NoStandby();
        _setStandby(address(0));
        _begin(promoted);
    }

    /// @inheritdoc ISequencerRegistry
    function slash(uint64 epoch, address challenger) external returns (uint256) {
        if (msg.sender != court) revert NotCourt(msg.sender);
        return _slash(epoch, challenger);
    }

    /// @inheritdoc ISequencerRegistry
    function announceEquivocation(bytes32 commitment) external {
        if (announcedIn[msg.sender][commitment] != 0) revert AlreadyAnnounced(commitment);
        announcedIn[msg.sender][commitment] = block.number;
        emit EquivocationAnnounced(msg.sender, commitment);
    }

    /// @inheritdoc ISequencerRegistry
    function proveEquivocation(
        Receipt calldata one,
        bytes calldata signatureOfOne,
        Receipt calldata other,
        bytes calldata signatureOfOther
    ) external {
        bool isSameRecord = one.epoch == other.epoch && one.seq == other.seq
            && one.inboxCursor == other.inboxCursor && one.inboxPrefixHash == other.inboxPrefixHash;
        if (!isSameRecord || one.tip == other.tip) revert NoEquivocation();
        bytes32 commitment = keccak256(abi.encode(msg.sender, one, other));
        uint256 announced = announcedIn[msg.sender][commitment];
        if (announced == 0 || announced == block.number) revert NotAnnounced(commitment);
        address offender = sequencerOf[one.epoch];
        _requireSigned(one, signatureOfOne, offender);
        _requireSigned(other, signatureOfOther, offender);
        if (_equivocated[one.epoch]) revert AlreadyPunished(one.epoch);

        _equivocated[one.epoch] = true;
        emit Equivocated(one.epoch, offender, one.seq, one.tip, other.tip);
        _slash(one.epoch, msg.sender);
        if (_current.sequencer == offender) {
            (_current.sequencer, _current.isBonded) = (address(0), false);
        }
    }

    /// @inheritdoc ISequencerRegistry
    function claimReward() external returns (uint256 amount) {
        amount = rewardOf[msg.sender];
        if (amount == 0) revert NothingToMove();
        delete rewardOf[msg.sender];
        emit RewardPaid(msg.sender, amount);
        IERC20(cash).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ISequencerRegistry
    function fundInsurance() external returns (uint256 amount) {
        amount = owedToInsurance;
        if (amount == 0) revert NothingToMove();
        delete owedToInsurance;
        IERC20(cash).forceApprove(insuranceFund, amount);
        IInsuranceFund(insuranceFund).fund(amount);
    }

    /// @inheritdoc ISequencerRegistry
    function current() external view returns (address, uint64, bool) {
        Current memory now_ = _current;
        return (now_.sequencer, now_.epoch, now_.isBonded);
    }

    /// @inheritdoc ISequencerRegistry
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _begin(address sequencer) private {
        uint64 epoch = _current.epoch + 1;
        sequencerOf[epoch] = sequencer;
        bool isBonded = _isBonded(sequencer);
        _current = Current(sequencer, epoch, isBonded);
        emit SequencerChanged(epoch, sequencer, isBonded);
    }

    function _setStandby(address standby_) private {
        standby = standby_;
        emit StandbyChanged(standby_);
    }

    function _slash(uint64 epoch, address challenger) private returns (uint256 bounty) {
        address offender = sequencerOf[epoch];
        uint256 amount = stakeOf[offender].amount;
        delete stakeOf[offender];
        _weigh();
        bounty = amount / 2;
        rewardOf[challenger] += bounty;
        owedToInsurance += amount - bounty;
        emit Slashed(epoch, offender, challenger, bounty, amount - bounty);
    }

    /// @dev Whatever moves a stake may move the bond of the current sequencer.
    function _weigh() private {
        _current.isBonded = _isBonded(_current.sequencer);
    }

    function _isBonded(address sequencer) private view returns (bool) {
        Stake memory own = stakeOf[sequencer];
        return own.amount - own.leaving >= minimumStake;
    }

    function _requireSigned(Receipt calldata receipt, bytes calldata signature, address expected)
        private
        view
    {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(RECEIPT_TYPEHASH, receipt)));
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        // An epoch that has not begun has no sequencer: zero must not pass for one.
        if (fault != ECDSA.RecoverError.NoError || signer != expected) {
            revert WrongSigner(signer, expected);
        }
    }

    function _requireGovernor() private view {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
    }
}
