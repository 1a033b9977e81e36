// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BLOB_BYTES, BatchHeader, DATA_BLOBS} from "../types/Batch.sol";
import {BlobOpening} from "../types/StructureEvidence.sol";

/// @title BlobData
/// @notice What the blobs of a batch hold, long after the chain forgot them: single elements, or
/// all of it, through the point evaluation of EIP-4844.
/// @dev A blob is a polynomial p of degree below 4,096 over the scalar field of BLS12-381, given by
/// its values: element `i` is p(w^rev(i)), w a root of unity of order 4,096 and rev the reversal of
/// 12 bits. The precompile proves p(z) = y for the commitment with a given versioned hash.
library BlobData {
    uint256 internal constant MODULUS =
        0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @dev w = 7^((MODULUS - 1) / 4096).
    uint256 internal constant ROOT_OF_UNITY =
        0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;

    /// @dev 4096^-1.
    uint256 internal constant INVERSE_OF_ELEMENTS =
        0x73e66878b46ae3705eb6a46a89213de7d3686828bfce5c19400fffff00100001;

    uint256 internal constant ELEMENTS = 4096;
    uint256 internal constant ELEMENT_BYTES = 31;

    uint256 private constant POINT_BYTES = 48;
    address private constant POINT_EVALUATION = address(0x0a);

    /// @dev Twice what it costs: a failure burns all that it is given.
    uint256 private constant EVALUATION_GAS = 100_000;

    /// @notice The hashes given are not those of the batch's blobs.
    error WrongBlobs(bytes32 given, bytes32 expected);

    /// @notice The batch has no such element.
    error NoSuchElement(uint256 element, uint256 elements);

    /// @notice A commitment or proof has 48 bytes.
    error PointLength(uint256 length);

    /// @notice The blob does not have this value at this point.
    error WrongOpening(bytes32 versionedHash, uint256 point, uint256 value);

    /// @notice As many commitments and proofs as blobs are needed, and all of the data.
    error WrongDataShape(uint256 blobs, uint256 commitments, uint256 proofs, uint256 length);

    /// @notice Reverts unless the hashes are those of the batch's blobs.
    function requireBlobs(BatchHeader calldata header, bytes32[] calldata versionedHashes)
        internal
        pure
    {
        bytes32 given = keccak256(abi.encodePacked(versionedHashes));
        require(
            header.daKind == DATA_BLOBS && given == header.daHash, WrongBlobs(given, header.daHash)
        );
    }

    /// @notice Reverts unless the element has this value.
    function requireElement(bytes32[] calldata versionedHashes, BlobOpening calldata opening)
        internal
        view
    {
        uint256 element = opening.element;
        uint256 blob = element / ELEMENTS;
        require(
            blob < versionedHashes.length, NoSuchElement(element, versionedHashes.length * ELEMENTS)
        );
        requireValue(
            versionedHashes[blob],
            rootAt(element % ELEMENTS),
            uint256(opening.value),
            opening.commitment,
            opening.proof
        );
    }

    /// @notice Reverts unless the blobs hold just this data, and nothing behind it.
    /// @dev Two different polynomials agree in fewer than 4,096 points of about 2**255, and the
    /// point follows from both: what agrees there is the same.
    function requireData(
        BatchHeader calldata header,
        bytes32[] calldata versionedHashes,
        bytes calldata data,
        bytes[] calldata commitments,
        bytes[] calldata proofs
    ) internal view {
        uint256 blobs = versionedHashes.length;
        requireBlobs(header, versionedHashes);
        require(
            commitments.length == blobs && proofs.length == blobs && data.length == header.daLength
                && data.length <= blobs * BLOB_BYTES,
            WrongDataShape(blobs, commitments.length, proofs.length, data.length)
        );
        for (uint256 b = 0; b < blobs; ++b) {
            bytes calldata piece = pieceOf(data, b);
            uint256 point = pointOf(versionedHashes[b], piece);
            uint256 value = valueAt(piece, point);
            requireValue(versionedHashes[b], point, value, commitments[b], proofs[b]);
        }
    }

    /// @dev The part of the data that a blob holds.
    function pieceOf(bytes calldata data, uint256 blob) private pure returns (bytes calldata) {
        uint256 start = blob * BLOB_BYTES;
        uint256 end = start + BLOB_BYTES;
        if (start > data.length) start = data.length;
        if (end > data.length) end = data.length;
        return data[start:end];
    }

    /// @notice Where a blob and the data that it should hold are compared.
    function pointOf(bytes32 versionedHash, bytes calldata piece) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(versionedHash, keccak256(piece)))) % MODULUS;
    }

    /// @notice Value at a point of the polynomial of a blob that holds this piece of the data.
    /// @dev p(z) = (z^n - 1) / n x sum of y_k w^k / (z - w^k), and z^n - 1 is the product of all
    /// z - w^k: the numerator of the sum, as a running fraction, is all that is left.
    function valueAt(bytes calldata piece, uint256 z) internal pure returns (uint256) {
        uint256 r = MODULUS;
        uint256 root = 1;
        uint256 numerator = 0;
        uint256 denominator = 1;
        for (uint256 k = 0; k < ELEMENTS; ++k) {
            uint256 factor = addmod(z, r - root, r);
            uint256 y = elementOf(piece, reversed(k));
            numerator =
                addmod(mulmod(numerator, factor, r), mulmod(mulmod(y, root, r), denominator, r), r);
            denominator = mulmod(denominator, factor, r);
            root = mulmod(root, ROOT_OF_UNITY, r);
        }
        return mulmod(numerator, INVERSE_OF_ELEMENTS, r);
    }

    /// @notice Element `i` of a blob that holds this piece: 31 bytes behind a zero, zeros at the end.
    function elementOf(bytes calldata piece, uint256 i) internal pure returns (uint256 value) {
        uint256 start = i * ELEMENT_BYTES;
        if (start >= piece.length) return 0;
        assembly ("memory-safe") {
            value := shr(8, calldataload(add(piece.offset, start)))
        }
        uint256 left = piece.length - start;
        if (left < ELEMENT_BYTES) {
            uint256 rest = 8 * (ELEMENT_BYTES - left);
            value = value >> rest << rest;
        }
    }

    /// @notice The point at which a blob has its element `i`.
    function rootAt(uint256 i) internal pure returns (uint256 root) {
        root = 1;
        uint256 power = ROOT_OF_UNITY;
        for (uint256 exponent = reversed(i); exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) root = mulmod(root, power, MODULUS);
            power = mulmod(power, power, MODULUS);
        }
    }

    /// @dev The 12 bits of a number below 4,096 in reverse: 16 in reverse, without the last four.
    function reversed(uint256 i) internal pure returns (uint256) {
        i = ((i & 0x5555) << 1) | (i >> 1 & 0x5555);
        i = ((i & 0x3333) << 2) | (i >> 2 & 0x3333);
        i = ((i & 0x0f0f) << 4) | (i >> 4 & 0x0f0f);
        i = ((i & 0x00ff) << 8) | (i >> 8);
        return i >> 4;
    }

    function requireValue(
        bytes32 versionedHash,
        uint256 point,
        uint256 value,
        bytes calldata commitment,
        bytes calldata proof
    ) private view {
        require(commitment.length == POINT_BYTES, PointLength(commitment.length));
        require(proof.length == POINT_BYTES, PointLength(proof.length));
        // It fails unless the commitment has the versioned hash and the value is proven.
        (bool isProven, bytes memory answer) = POINT_EVALUATION.staticcall{gas: EVALUATION_GAS}(
            bytes.concat(versionedHash, bytes32(point), bytes32(value), commitment, proof)
        );
        // On a chain without it the call succeeds, and answers nothing.
        require(isProven && answer.length == 64, WrongOpening(versionedHash, point, value));
    }
}
