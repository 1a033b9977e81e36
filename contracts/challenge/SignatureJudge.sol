// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IInbox} from "../interfaces/IInbox.sol";
import {IJudge} from "../interfaces/IJudge.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {Commands} from "../libraries/Commands.sol";
import {Frames, RECORD_CANCEL_ORDER, RECORD_PLACE_ORDER} from "../libraries/Frames.sol";
import {Intents} from "../libraries/Intents.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {BatchHeader} from "../types/Batch.sol";
import {SignatureEvidence} from "../types/ContentEvidence.sol";

/// @title SignatureJudge
/// @notice Kind 12, signatures: an intent that neither the owner nor a trading key signed.
/// @dev Evidence is a `SignatureEvidence`. Faulty when the record carries an intent and the account
/// does not exist before it; or the signature is malformed; or its signer is neither the owner of
/// the account nor, for an order or a cancel, a key that the entries consumed before the record had
/// made active at the record's time.
contract SignatureJudge is IJudge {
    /// @notice The account opened is not that of the intent.
    error OtherAccount(uint32 given, uint32 expected);

    ISettlement private immutable _settlement;
    IInbox private immutable _inbox;

    /// @param settlement Whose domain the intents are signed in.
    /// @param inbox Which knows the trading keys.
    constructor(ISettlement settlement, IInbox inbox) {
        (_settlement, _inbox) = (settlement, inbox);
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        SignatureEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        Trace.requirePair(header, shown.pair);
        Openings.requireFrame(shown.pair.step, shown.frame);
        Openings.requireAccount(shown.pair.previous.accountRoot, shown.holder);
        bytes32 structHash = Intents.structHash(shown.frame);
        uint32 account = Commands.accountOf(shown.frame);
        require(shown.holder.account == account, OtherAccount(shown.holder.account, account));
        if (shown.holder.leaf.length == 0) return true;
        return !_maySign(shown, structHash);
    }

    function _maySign(SignatureEvidence calldata shown, bytes32 structHash)
        private
        view
        returns (bool)
    {
        bytes32 digest = MessageHashUtils.toTypedDataHash(_settlement.domainSeparator(), structHash);
        (address signer, ECDSA.RecoverError fault,) =
            ECDSA.tryRecoverCalldata(digest, Commands.signatureOf(shown.frame));
        if (fault != ECDSA.RecoverError.NoError) return false;
        address owner = shown.holder.leaf[0].owner;
        if (signer == owner) return true;
        uint8 kind = Frames.typeOf(shown.frame);
        if (kind != RECORD_PLACE_ORDER && kind != RECORD_CANCEL_ORDER) return false;
        uint64 cursor = shown.pair.previous.inboxCursor;
        return _inbox.isKeyActive(owner, signer, cursor, Frames.timeOf(shown.frame));
    }
}
