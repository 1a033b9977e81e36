// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ICourt} from "../interfaces/ICourt.sol";
import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {BatchHeader} from "../types/Batch.sol";
import {CourtStore} from "./CourtStore.sol";
import {Demands} from "./Demands.sol";

/// @title Court
contract Court is Demands {
    using SafeERC20 for IERC20;

    address public immutable insuranceFund;
    address public immutable governor;

    /// @inheritdoc ICourt
    mapping(uint8 kind => address) public judgeOf;
    /// @inheritdoc ICourt
    uint256 public owedToInsurance;

    mapping(bytes32 id => Challenge) private _challenges;

    /// @param kinds Of the judges that are there from the beginning.
    constructor(Config memory config, uint8[] memory kinds, address[] memory judges)
        CourtStore(config)
    {
        if (config.insuranceFund == address(0) || config.governor == address(0)) {
            revert ZeroAddress();
        }
        require(kinds.length == judges.length, JudgeCount(kinds.length, judges.length));
        insuranceFund = config.insuranceFund;
        governor = config.governor;
        for (uint256 i = 0; i < kinds.length; ++i) {
            _register(kinds[i], judges[i]);
        }
    }

    /// @inheritdoc ICourt
    function open(uint64 batchNo, bytes32 batchHash, bytes32 commitment)
        external
        returns (bytes32 id)
    {
        id = _idOf(msg.sender, commitment);
        require(_challenges[id].openedAt == 0, ChallengeExists(id));
        _challenges[id] = Challenge({
            challenger: msg.sender,
            batchNo: batchNo,
            openedAt: uint64(block.timestamp),
            openedIn: uint64(block.number),
            committedAt: ISettlement(settlement).committedAt(batchNo),
            batchHash: batchHash
        });
        uint256 until = block.timestamp + revealWindow;
        emit ChallengeOpened(id, batchNo, msg.sender, batchHash, commitment, until);

        _begin(batchNo, batchHash);
    }

    /// @inheritdoc ICourt
    function reveal(BatchHeader calldata header, uint8 kind, bytes calldata evidence) external {
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        bytes32 id = _idOf(
            msg.sender, keccak256(abi.encode(msg.sender, kind, batchHash, keccak256(evidence)))
        );
        Challenge memory challenge = _challenges[id];
        require(challenge.batchHash == batchHash, NoSuchChallenge(id));
        require(_isStill(challenge), BatchGone(challenge.batchNo, batchHash));
        // Else whoever sees evidence on its way would open and reveal before it.
        require(block.number > challenge.openedIn, RevealTooEarly(challenge.openedIn));
        uint256 until = challenge.openedAt + revealWindow;
        // The few seconds that a validator may shift matter little to this window.
        // forge-lint: disable-next-line(block-timestamp)
        require(block.timestamp <= until, RevealTooLate(until, block.timestamp));
        address judge = judgeOf[kind];
        require(judge != address(0), UnknownKind(kind));
        require(IJudge(judge).isFaulty(header, evidence), NoFault(kind, batchHash));

        delete _challenges[id];
        uint256 bounty = _uphold(header, msg.sender);
        emit ChallengeUpheld(id, header.batchNo, kind, bounty);
    }

    /// @inheritdoc ICourt
    function close(bytes32 id) external {
        Challenge memory challenge = _challenges[id];
        require(challenge.openedAt != 0, NoSuchChallenge(id));
        bool isForfeit = _isStill(challenge);
        uint256 until = challenge.openedAt + revealWindow;
        // As above.
        // forge-lint: disable-next-line(block-timestamp)
        require(!isForfeit || block.timestamp > until, RevealStillOpen(until, block.timestamp));

        delete _challenges[id];
        if (isForfeit) owedToInsurance += bondE6;
        else bondOf[challenge.challenger] += bondE6;
        emit ChallengeClosed(id, challenge.batchNo, isForfeit);
        if (isForfeit) _release(challenge.batchNo, challenge.batchHash, challenge.openedAt);
    }

    /// @inheritdoc ICourt
    function claimBond() external returns (uint256 amountE6) {
        amountE6 = bondOf[msg.sender];
        require(amountE6 != 0, NothingOwed(msg.sender));
        bondOf[msg.sender] = 0;
        emit BondPaid(msg.sender, amountE6);
        IERC20(cash).safeTransfer(msg.sender, amountE6);
    }

    /// @inheritdoc ICourt
    function fundInsurance() external returns (uint256 amountE6) {
        amountE6 = owedToInsurance;
        require(amountE6 != 0, NothingOwed(insuranceFund));
        owedToInsurance = 0;
        emit BondPaid(insuranceFund, amountE6);
        IERC20(cash).forceApprove(insuranceFund, amountE6);
        IInsuranceFund(insuranceFund).fund(amountE6);
    }

    /// @inheritdoc ICourt
    function registerJudge(uint8 kind, address judge) external {
        require(msg.sender == governor, NotGovernor(msg.sender));
        _register(kind, judge);
    }

    /// @inheritdoc ICourt
    function challengeOf(bytes32 id) external view returns (Challenge memory) {
        return _challenges[id];
    }

    function _register(uint8 kind, address judge) private {
        require(kind != 0 && judge.code.length != 0, InvalidJudge(kind, judge));
        require(judgeOf[kind] == address(0), JudgeRegistered(kind, judgeOf[kind]));
        judgeOf[kind] = judge;
        emit JudgeAdded(kind, judge);
    }

    function _isStill(Challenge memory challenge) private view returns (bool) {
        return _isLive(challenge.batchNo, challenge.batchHash, challenge.committedAt);
    }

    function _idOf(address challenger, bytes32 commitment) private pure returns (bytes32) {
        return keccak256(abi.encode(challenger, commitment));
    }
}
