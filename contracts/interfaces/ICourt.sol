// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../types/Batch.sol";

/// @title ICourt
/// @notice Bonded challenges of open batches: committed first, so that nobody takes the bounty of
/// another, then shown to the judge of their kind, who decides in the same transaction.
/// @dev INV-14. A judge is registered once and never replaced. Every payment is pulled.
interface ICourt {
    /// @notice Everything that is fixed at deployment.
    /// @param cash Token of the bonds.
    /// @param registry Of the sequencers, whose stake is slashed.
    /// @param governor Registers judges; a timelock.
    /// @param bondE6 What a challenge costs until it is decided. [USD e-6]
    /// @param revealWindow Between opening and revealing. [s]
    struct Config {
        address cash;
        address settlement;
        address registry;
        address insuranceFund;
        address governor;
        uint256 bondE6;
        uint64 revealWindow;
    }

    /// @notice A challenge that is open.
    /// @param openedAt Zero when there is no such challenge. [s since 1970]
    /// @param openedIn Block of the chain, after which it may be revealed.
    /// @param committedAt Of the batch: the same header may be committed again after a revert, and
    /// is another case then. [s since 1970]
    struct Challenge {
        address challenger;
        uint64 batchNo;
        uint64 openedAt;
        uint64 openedIn;
        uint64 committedAt;
        bytes32 batchHash;
    }

    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice A challenge would cost nothing, or nobody could reveal in time.
    error ZeroBondOrWindow(uint256 bondE6, uint64 revealWindow);
    /// @notice Bonded strangers could freeze the venue by delaying honest batches. [s]
    error FreezesTooSoon(uint256 liveness, uint256 repairTime, uint256 slowest);
    /// @notice A stake could leave before all that it answers for is final. [s]
    error StakeLeavesTooSoon(uint256 unstakeDelay, uint256 slowest);
    /// @notice A verifier could retire before all batches of its kind are final. [s]
    error VerifierRetiresTooSoon(uint256 retireDelay, uint256 slowest);
    error NotGovernor(address caller);
    /// @notice As many judges as kinds are given.
    error JudgeCount(uint256 kinds, uint256 judges);
    /// @notice Kinds count from 1, and a judge is a contract.
    error InvalidJudge(uint8 kind, address judge);
    /// @notice A judge is never replaced.
    error JudgeRegistered(uint8 kind, address judge);
    /// @notice No judge decides this kind yet.
    error UnknownKind(uint8 kind);
    /// @notice The caller has opened this challenge before.
    error ChallengeExists(bytes32 id);
    /// @notice The caller did not commit to this kind, header and evidence, or it is decided.
    error NoSuchChallenge(bytes32 id);
    /// @notice A challenge is revealed in a later block than it is opened in.
    error RevealTooEarly(uint64 openedIn);
    /// @notice The time to reveal is over. [s since 1970]
    error RevealTooLate(uint256 until, uint256 time);
    /// @notice The challenger still has time to reveal. [s since 1970]
    error RevealStillOpen(uint256 until, uint256 time);
    /// @notice The batch was dropped with another since: the bond can be had back.
    error BatchGone(uint64 batchNo, bytes32 batchHash);
    /// @notice The evidence shows no fault.
    error NoFault(uint8 kind, bytes32 batchHash);
    /// @notice Nothing is owed.
    error NothingOwed(address account);

    event JudgeAdded(uint8 indexed kind, address indexed judge);
    /// @param until Last second to reveal. [s since 1970]
    event ChallengeOpened(
        bytes32 indexed id,
        uint64 indexed batchNo,
        address indexed challenger,
        bytes32 batchHash,
        bytes32 commitment,
        uint256 until
    );
    /// @notice A fault was shown; the batch and all after it are reverted.
    /// @param bountyE6 Owed to the challenger by the registry, besides the bond. [USD e-6]
    event ChallengeUpheld(
        bytes32 indexed id, uint64 indexed batchNo, uint8 indexed kind, uint256 bountyE6
    );
    /// @notice A challenge ended without a decision.
    /// @param isForfeit Whether the bond goes to the insurance fund; else it goes back, because the
    /// batch was dropped with another.
    event ChallengeClosed(bytes32 indexed id, uint64 indexed batchNo, bool isForfeit);
    /// @param amountE6 Paid out. [USD e-6]
    event BondPaid(address indexed to, uint256 amountE6);

    /// @notice Pays the bond and makes an open batch challenged, before its window ends.
    /// @dev Reverts, and takes nothing, when the number is another batch's by then: who is accused
    /// cannot put an honest batch in the place of the faulty one and have the bond.
    /// @param batchHash Header hash of the batch that is meant.
    /// @param commitment keccak256(abi.encode(caller, kind, header hash, keccak256(evidence))).
    /// @return id keccak256(abi.encode(caller, commitment)).
    function open(uint64 batchNo, bytes32 batchHash, bytes32 commitment)
        external
        returns (bytes32 id);

    /// @notice Has the judge of the kind decide; only for who opened with just this, in an earlier
    /// block.
    /// @dev A fault reverts the batch, slashes the sequencer of its epoch and gives the bond back;
    /// without one, this reverts.
    function reveal(BatchHeader calldata header, uint8 kind, bytes calldata evidence) external;

    /// @notice Ends a challenge that was not revealed in time, or whose batch is not open any more;
    /// anyone may call.
    function close(bytes32 id) external;

    /// @notice Pays the caller the bonds that came back. [USD e-6]
    function claimBond() external returns (uint256 amountE6);

    /// @notice Moves forfeited bonds into the reserve of the insurance fund; anyone may call.
    function fundInsurance() external returns (uint256 amountE6);

    /// @notice Registers the judge of a kind that has none; only for the governor.
    function registerJudge(uint8 kind, address judge) external;

    /// @notice Who decides a kind; zero for none.
    function judgeOf(uint8 kind) external view returns (address);

    /// @notice An open challenge; all zero when there is none of this id.
    function challengeOf(bytes32 id) external view returns (Challenge memory);

    /// @notice Bonds that an account may claim. [USD e-6]
    function bondOf(address account) external view returns (uint256);

    /// @notice Forfeited bonds that the insurance fund has not got yet. [USD e-6]
    function owedToInsurance() external view returns (uint256);
}
