// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Medians} from "../libraries/Medians.sol";
import {Report} from "../types/Epoch.sol";
import {SECOND_NS} from "../types/Units.sol";

/// @title OracleHub
contract OracleHub is IOracleHub, AccessControl, EIP712 {
    /// @dev EIP-712 type of what one oracle signs.
    bytes32 public constant OBSERVATION_TYPEHASH =
        keccak256("Observation(uint64 round,uint64 observedAt,bytes values)");

    /// @dev Bounds the work of one submission.
    uint256 private constant MAX_FEEDS = 256;
    uint256 private constant MAX_SIGNERS = 32;
    uint256 private constant MIN_QUORUM = 3;
    uint256 private constant MAX_BAND_E6 = 500_000;

    /// @dev Four medians share a storage word. A report of round 0 does not exist.
    struct Stored {
        uint64 round;
        uint64 observedAt;
        int64[] medians;
    }

    uint16 private immutable _feeds;
    uint32 private immutable _bandE6;
    uint64 private immutable _heartbeatNs;
    uint64 private immutable _maxSkewNs;

    /// @inheritdoc IOracleHub
    uint64 public signerEpoch;

    /// @inheritdoc IOracleHub
    uint8 public quorum;

    /// @inheritdoc IOracleHub
    mapping(bytes32 reportHash => uint64) public acceptedAt;

    /// @inheritdoc IOracleHub
    mapping(bytes32 reportHash => uint64) public jumpedAt;

    address[] private _signers;
    mapping(address signer => uint64) private _epochOf;
    Stored private _accepted;
    Stored private _pending;

    /// @param admin Replaces the signers.
    constructor(address admin, Limits memory limits_, address[] memory signers_, uint8 quorum_)
        EIP712("Plimsoll", "1")
    {
        require(
            limits_.feeds > 0 && limits_.feeds <= MAX_FEEDS && limits_.bandE6 > 0
                && limits_.bandE6 <= MAX_BAND_E6 && limits_.heartbeatNs > 0,
            LimitsOutOfRange(limits_.feeds, limits_.bandE6, limits_.heartbeatNs)
        );
        _feeds = limits_.feeds;
        _bandE6 = limits_.bandE6;
        _heartbeatNs = limits_.heartbeatNs;
        _maxSkewNs = limits_.maxSkewNs;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _replaceSigners(signers_, quorum_);
    }

    /// @inheritdoc IOracleHub
    function submit(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata values,
        bytes[] calldata signatures
    ) external returns (bool accepted) {
        _checkTimes(round, observedAt);
        _checkSignatures(round, observedAt, values, signatures);
        int64[] memory medians = Medians.ofVectors(values, _feeds);

        accepted = _isAcceptable(medians);
        if (accepted) {
            _accepted = Stored(round, observedAt, medians);
            // Round zero: nothing is pending. The words of its medians are written over later.
            if (_pending.round != 0) _pending.round = 0;
        } else {
            _pending = Stored(round, observedAt, medians);
        }
        _record(round, observedAt, medians, accepted);
    }

    /// @inheritdoc IOracleHub
    function submitLate(
        Report calldata base,
        uint64 round,
        uint64 observedAt,
        bytes[] calldata values,
        bytes[] calldata signatures
    ) external returns (bool accepted) {
        _checkNotAhead(observedAt);
        _checkSignatures(round, observedAt, values, signatures);
        int64[] memory medians = Medians.ofVectors(values, _feeds);
        accepted = _isSupported(base, round, observedAt, medians);
        _record(round, observedAt, medians, accepted);
    }

    /// @inheritdoc IOracleHub
    function replaceSigners(address[] calldata signers_, uint8 quorum_)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        _replaceSigners(signers_, quorum_);
    }

    /// @inheritdoc IOracleHub
    function latest(uint256 feed)
        public
        view
        returns (int64 value, uint64 observedAt, uint64 round)
    {
        require(feed < _feeds, UnknownFeed(feed, _feeds));
        (observedAt, round) = (_accepted.observedAt, _accepted.round);
        require(round != 0, NoReport());
        value = _accepted.medians[feed];
    }

    /// @inheritdoc IOracleHub
    function price(uint256 feed) external view returns (int64 value) {
        uint64 observedAt;
        (value, observedAt,) = latest(feed);
        require(!_isOld(observedAt), StalePrice(observedAt, _heartbeatNs));
    }

    /// @inheritdoc IOracleHub
    function isFresh() external view returns (bool) {
        return _accepted.round != 0 && !_isOld(_accepted.observedAt);
    }

    /// @inheritdoc IOracleHub
    function limits() external view returns (Limits memory) {
        return Limits(_feeds, _bandE6, _heartbeatNs, _maxSkewNs);
    }

    /// @inheritdoc IOracleHub
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @inheritdoc IOracleHub
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev A pending report counts as newest, or it could be submitted again as its own
    /// confirmation.
    function _checkTimes(uint64 round, uint64 observedAt) private view {
        Stored storage newest = _pending.round != 0 ? _pending : _accepted;
        require(round > newest.round, RoundNotNew(round, newest.round));
        require(observedAt > newest.observedAt, ObservationNotNew(observedAt, newest.observedAt));
        _checkNotAhead(observedAt);
        require(!_isOld(observedAt), ObservedTooLongAgo(observedAt, _heartbeatNs));
    }

    function _checkNotAhead(uint64 observedAt) private view {
        uint256 latestNs = block.timestamp * SECOND_NS + _maxSkewNs;
        require(observedAt <= latestNs, ObservedInFuture(observedAt, latestNs));
    }

    function _checkSignatures(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata values,
        bytes[] calldata signatures
    ) private view {
        uint256 count = values.length;
        require(count == signatures.length, SignatureCount(count, signatures.length));
        require(count >= quorum && count <= MAX_SIGNERS, NoQuorum(count, quorum));
        address earlier = address(0);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 structHash = keccak256(
                abi.encode(OBSERVATION_TYPEHASH, round, observedAt, keccak256(values[i]))
            );
            address signer = ECDSA.recoverCalldata(_hashTypedDataV4(structHash), signatures[i]);
            require(signer > earlier, SignersOutOfOrder(earlier, signer));
            require(_epochOf[signer] == signerEpoch, UnknownSigner(signer));
            earlier = signer;
        }
    }

    /// @dev The band rule of docs/COMMITMENTS.md, which the engine applies too.
    function _isAcceptable(int64[] memory medians) private view returns (bool) {
        if (_accepted.round == 0) return true;
        if (Medians.isWithin(medians, _accepted.medians, _bandE6)) return true;
        return _pending.round != 0 && Medians.isWithin(medians, _pending.medians, _bandE6);
    }

    /// @dev The band rule without the order of submissions. A report that jumped vouches for later
    /// ones only, or two quorums of one round would confirm each other.
    function _isSupported(
        Report calldata base,
        uint64 round,
        uint64 observedAt,
        int64[] memory medians
    ) private view returns (bool) {
        if (base.round == 0) return false;
        bytes32 baseHash = LeafHash.report(base.round, base.observedAt, base.medians);
        if (acceptedAt[baseHash] == 0) {
            require(jumpedAt[baseHash] != 0, UnknownBase(baseHash));
            if (round <= base.round || observedAt <= base.observedAt) return false;
        }
        return Medians.isWithin(medians, Medians.unpack(base.medians), _bandE6);
    }

    function _record(uint64 round, uint64 observedAt, int64[] memory medians, bool accepted)
        private
    {
        bytes memory packed = Medians.pack(medians);
        bytes32 reportHash = LeafHash.report(round, observedAt, packed);
        if (accepted) {
            acceptedAt[reportHash] = uint64(block.timestamp);
            emit ReportAccepted(round, observedAt, reportHash, packed);
        } else {
            jumpedAt[reportHash] = uint64(block.timestamp);
            emit ReportPending(round, observedAt, reportHash, packed);
        }
    }

    function _isOld(uint64 observedAt) private view returns (bool) {
        // A validator can move it by less than the heartbeats that are of use.
        // forge-lint: disable-next-line(block-timestamp)
        return uint256(observedAt) + _heartbeatNs < block.timestamp * SECOND_NS;
    }

    /// @dev A pending report stays: the engine, which does not see this, keeps it as well.
    function _replaceSigners(address[] memory signers_, uint8 quorum_) private {
        uint256 count = signers_.length;
        require(
            quorum_ >= MIN_QUORUM && uint256(quorum_) * 2 > count && quorum_ <= count
                && count <= MAX_SIGNERS,
            QuorumOutOfRange(quorum_, count)
        );
        uint64 epoch = ++signerEpoch;
        address earlier = address(0);
        for (uint256 i = 0; i < count; ++i) {
            require(signers_[i] > earlier, SignersOutOfOrder(earlier, signers_[i]));
            _epochOf[signers_[i]] = epoch;
            earlier = signers_[i];
        }
        _signers = signers_;
        quorum = quorum_;

        emit SignersReplaced(epoch, signers_, quorum_);
    }
}
