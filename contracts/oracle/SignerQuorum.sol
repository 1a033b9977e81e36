// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {Observations} from "../libraries/Observations.sol";
import {Governed} from "./Governed.sol";

/// @title SignerQuorum
/// @notice Who may sign observations, and how many must.
abstract contract SignerQuorum is IOracleHub, Governed, EIP712 {
    /// @dev EIP-712 type of what one oracle signs.
    bytes32 public constant OBSERVATION_TYPEHASH = Observations.TYPEHASH;

    /// @dev Bounds the work of one submission.
    uint256 private constant MAX_SIGNERS = 32;
    uint256 private constant MIN_QUORUM = 3;

    /// @inheritdoc IOracleHub
    uint64 public signerEpoch;

    /// @inheritdoc IOracleHub
    uint8 public quorum;

    address[] private _signers;
    mapping(address signer => uint64) private _epochOf;

    constructor(address governor_, address[] memory signers_, uint8 quorum_)
        Governed(governor_)
        EIP712("Plimsoll", "1")
    {
        _replaceSigners(signers_, quorum_);
    }

    /// @inheritdoc IOracleHub
    function replaceSigners(address[] calldata signers_, uint8 quorum_) external onlyGovernor {
        _replaceSigners(signers_, quorum_);
    }

    /// @inheritdoc IOracleHub
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @inheritdoc IOracleHub
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _checkSignatures(
        uint64 round,
        uint64 observedAt,
        bytes[] calldata vectors,
        bytes[] calldata signatures
    ) internal view virtual {
        uint256 count = vectors.length;
        require(count == signatures.length, SignatureCount(count, signatures.length));
        require(count >= quorum && count <= MAX_SIGNERS, NoQuorum(count, quorum));
        address earlier = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address signer = _signerOf(round, observedAt, vectors[i], signatures[i]);
            require(signer > earlier, SignersOutOfOrder(earlier, signer));
            require(_epochOf[signer] == signerEpoch, UnknownSigner(signer));
            earlier = signer;
        }
    }

    function _signerOf(
        uint64 round,
        uint64 observedAt,
        bytes calldata vector,
        bytes calldata signature
    ) internal view returns (address) {
        bytes32 structHash = Observations.structHash(round, observedAt, vector);
        return ECDSA.recoverCalldata(_hashTypedDataV4(structHash), signature);
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
