// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ISequencerRegistry
/// @notice Who may order and commit, in which epoch, and what he loses when a fault is shown.
/// @dev A batch or receipt of an epoch answers with the stake of that epoch's sequencer, also
/// after another has taken over. Every payment is pulled, so that none can hold up a slashing.
interface ISequencerRegistry {
    /// @notice What the sequencer promises when a command is durable; docs/COMMITMENTS.md.
    /// @param tip Log hash after the record `seq`.
    struct Receipt {
        uint64 epoch;
        uint64 seq;
        bytes32 tip;
        uint64 inboxCursor;
        bytes32 inboxPrefixHash;
    }

    /// @notice Everything that is fixed at deployment.
    struct Config {
        address cash; // the token of stakes
        address court;
        address insuranceFund;
        address governor;
        address guardian;
        uint256 minimumStake; // without which nobody commits [USD e-6]
        uint64 unstakeDelay; // longer than a batch can be open and disputed; the court checks it [s]
        address sequencer; // of epoch 1
        address standby; // may be zero
    }

    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice Without a stake nothing would be at stake.
    error ZeroMinimumStake();
    error NotGovernor(address caller);
    error NotCourt(address caller);
    /// @notice Only the guardian, or the sequencer itself, may hand over.
    error NotGuardianOrSequencer(address caller);
    /// @notice Nobody stands by.
    error NoStandby();
    /// @notice A stake or payment of nothing.
    error NothingToMove();
    /// @notice More than was staked and is not already on its way out. [USD e-6]
    error InsufficientStake(uint256 amount, uint256 free);
    /// @notice The stake stays until what it answers for is final. [s since 1970]
    error UnstakeNotDue(uint256 due, uint256 time);
    /// @notice The receipts are not of one epoch, record and inbox prefix, or are the same.
    error NoEquivocation();
    /// @notice The caller has announced this before.
    error AlreadyAnnounced(bytes32 commitment);
    /// @notice The caller did not announce these receipts in an earlier block.
    error NotAnnounced(bytes32 commitment);
    /// @notice A receipt is not signed by the sequencer of its epoch.
    error WrongSigner(address recovered, address sequencer);
    /// @notice This fault of the epoch was punished before.
    error AlreadyPunished(uint64 epoch);

    event Staked(address indexed owner, uint256 amount, uint256 stake);
    /// @param due When the stake may leave. [s since 1970]
    event UnstakeRequested(address indexed owner, uint256 amount, uint64 due);
    event Unstaked(address indexed owner, uint256 amount);
    /// @notice Another sequencer begins another epoch.
    event SequencerChanged(uint64 indexed epoch, address indexed sequencer, bool isBonded);
    event StandbyChanged(address indexed standby);
    /// @param bounty Owed to the challenger. [USD e-6]
    /// @param toInsurance Owed to the insurance fund. [USD e-6]
    event Slashed(
        uint64 indexed epoch,
        address indexed sequencer,
        address indexed challenger,
        uint256 bounty,
        uint256 toInsurance
    );
    event EquivocationAnnounced(address indexed finder, bytes32 commitment);
    event Equivocated(
        uint64 indexed epoch, address indexed sequencer, uint64 seq, bytes32 tip, bytes32 otherTip
    );
    event RewardPaid(address indexed challenger, uint256 amount);

    /// @notice Adds to the caller's stake. [USD e-6]
    function stake(uint256 amount) external;

    /// @notice Announces that part of the caller's stake is to leave. [USD e-6]
    /// @dev It no longer counts as bond, and is still lost when a fault is shown. A second request
    /// adds to the first and starts the delay anew.
    function requestUnstake(uint256 amount) external;

    /// @notice Pays the caller what was announced, after the delay.
    function unstake() external returns (uint256 amount);

    /// @notice Names another sequencer, in another epoch; governor only.
    function setSequencer(address sequencer_) external;

    /// @notice Names who stands by; zero for nobody; governor only.
    function setStandby(address standby_) external;

    /// @notice Makes the standby the sequencer, in another epoch; guardian or sequencer.
    function promoteStandby() external;

    /// @notice Takes the whole stake of an epoch's sequencer; court only.
    /// @dev Half is owed to the challenger, the rest to the insurance fund. Calls nobody and never
    /// fails for want of stake.
    /// @return bounty What is owed to the challenger. [USD e-6]
    function slash(uint64 epoch, address challenger) external returns (uint256 bounty);

    /// @notice Says that the caller will show two receipts, without showing them.
    /// @param commitment keccak256(abi.encode(caller, one, other)).
    function announceEquivocation(bytes32 commitment) external;

    /// @notice Punishes two receipts that contradict each other; for whoever announced them in an
    /// earlier block, so that nobody who sees them on their way takes the bounty.
    /// @dev One epoch, one record, one inbox prefix, two log hashes. The stake is slashed, half to
    /// the caller, and the sequencer suspended until another is named or the standby promoted.
    function proveEquivocation(
        Receipt calldata one,
        bytes calldata signatureOfOne,
        Receipt calldata other,
        bytes calldata signatureOfOther
    ) external;

    /// @notice Pays the caller what slashing has left him.
    function claimReward() external returns (uint256 amount);

    /// @notice Moves what slashing has left the insurance fund into its reserve; anyone may call.
    function fundInsurance() external returns (uint256 amount);

    /// @notice Who commits now, in which epoch, and whether he may; zero while suspended.
    function current() external view returns (address sequencer, uint64 epoch, bool isBonded);

    /// @notice The sequencer of an epoch; zero for one that has not begun.
    function sequencerOf(uint64 epoch) external view returns (address);

    /// @notice Who takes over when promoted; zero for nobody.
    function standby() external view returns (address);

    /// @notice All that can be slashed, and what of it is on its way out. [USD e-6]
    /// @param due When that may leave; zero when nothing does. [s since 1970]
    function stakeOf(address owner)
        external
        view
        returns (uint96 amount, uint96 leaving, uint64 due);

    /// @notice What slashing owes a challenger. [USD e-6]
    function rewardOf(address challenger) external view returns (uint256);

    /// @notice What slashing owes the insurance fund. [USD e-6]
    function owedToInsurance() external view returns (uint256);

    /// @notice The block in which a finder announced receipts; zero if he did not.
    function announcedIn(address finder, bytes32 commitment) external view returns (uint256);

    /// @notice How long a stake stays after its owner has asked for it. [s]
    function unstakeDelay() external view returns (uint64);

    /// @notice The EIP-712 domain of receipts.
    function domainSeparator() external view returns (bytes32);
}
