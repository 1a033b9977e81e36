// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {AttestedVerifier} from "../../../contracts/proof/AttestedVerifier.sol";
import {ProofRouter} from "../../../contracts/proof/ProofRouter.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {BatchHeader, Output, Totals} from "../../../contracts/types/Batch.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./HostileTokens.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev Stands for the two contracts that Settlement only asks for one number each.
contract Answers {
    bytes32 public paramsHash = keccak256("parameters");
    mapping(uint64 batchNo => uint256) public verifiedCount;

    function setVerifiedCount(uint64 batchNo, uint256 count) external {
        verifiedCount[batchNo] = count;
    }
}

/// @dev Custody, settlement and proofs wired as in a deployment, with keys that the test holds.
abstract contract SettlementRig {
    uint256 internal constant SEQUENCER_KEY = uint256(keccak256("sequencer"));
    uint256 internal constant ATTESTOR_KEY = uint256(keccak256("attestor"));
    uint256 internal constant START = 1_700_000_000;
    uint64 internal constant WINDOW = 60;
    uint64 internal constant MAX_OPEN = 3;
    uint64 internal constant MAX_SKEW = 15;
    bytes32 internal constant ENGINE = keccak256("engine");
    bytes internal constant LOG = "frame";

    /// @dev Sends commits, as transactions of its own.
    address internal constant RELAYER = address(0xbeef);

    PlainToken internal cash;
    PlainToken internal collateral;
    CollateralVault internal vault;
    Inbox internal inbox;
    Settlement internal settlement;
    InsuranceFund internal insurance;
    ProofRouter internal router;
    AttestedVerifier internal verifier;
    Answers internal answers;

    Totals internal totals;

    function deployRig() internal {
        vm.warp(START);
        cash = new PlainToken(6);
        collateral = new PlainToken(8);
        holdCollateral(0, 0, 0);
        answers = new Answers();
        router = new ProofRouter(address(this));
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(verifier));

        uint256 nonce = vm.getNonce(address(this));
        address fundAt = vm.computeCreateAddress(address(this), nonce);
        address vaultAt = vm.computeCreateAddress(address(this), nonce + 1);
        address inboxAt = vm.computeCreateAddress(address(this), nonce + 2);
        address settlementAt = vm.computeCreateAddress(address(this), nonce + 3);
        insurance = new InsuranceFund(
            address(cash), vaultAt, settlementAt, address(answers), address(this)
        );
        address[] memory collaterals = new address[](1);
        collaterals[0] = address(collateral);
        vault = new CollateralVault(inboxAt, settlementAt, address(cash), collaterals);
        inbox = new Inbox(vaultAt);
        settlement = new Settlement(config(vaultAt, inboxAt, fundAt));
        vm.assertEq(address(settlement), settlementAt);
    }

    /// @dev Totals of the one collateral asset.
    function holdCollateral(uint128 held, uint128 deposited, uint128 withdrawn) internal {
        totals.collateralE8 = [held];
        totals.depositedCollateral = [deposited];
        totals.withdrawnCollateral = [withdrawn];
    }

    function config(address vaultAt, address inboxAt, address fundAt)
        internal
        view
        returns (ISettlement.Config memory)
    {
        return ISettlement.Config({
            vault: vaultAt,
            inbox: inboxAt,
            liquidationManager: address(answers),
            riskParameters: address(answers),
            insuranceFund: fundAt,
            proofRouter: address(router),
            sequencer: vm.addr(SEQUENCER_KEY),
            challengeWindow: WINDOW,
            maxOpenBatches: MAX_OPEN,
            maxSkew: MAX_SKEW,
            engineHash: ENGINE
        });
    }

    /// @dev A right header on top of the chain, which consumes the whole inbox.
    function nextHeader() internal view returns (BatchHeader memory header) {
        uint64 head = settlement.head();
        header.schema = 1;
        header.batchNo = head + 1;
        header.prevBatchHash = settlement.batchHashOf(head);
        header.prevStateRoot = settlement.lastStateRoot();
        header.stateRoot = keccak256(abi.encode("state", header.batchNo));
        header.inputLogHash = keccak256(abi.encode("log", header.batchNo));
        header.daHash = keccak256(LOG);
        header.daLength = uint32(LOG.length);
        header.inboxFrom = settlement.inboxCursor();
        header.inboxTo = inbox.count();
        header.inboxPrefixHash = inbox.prefixAt(header.inboxTo);
        header.epochRoot = keccak256(abi.encode("epochs", header.batchNo));
        header.priceRoot = keccak256(abi.encode("prices", header.batchNo));
        header.riskRoot = keccak256(abi.encode("risk", header.batchNo));
        header.paramsHash = answers.paramsHash();
        header.engineHash = ENGINE;
        uint64 last = settlement.lastTimeEnd();
        uint64 time = uint64(block.timestamp * 1e9);
        header.timeStart = time > last ? time : last;
        header.timeEnd = header.timeStart + 1e9;
        header.totalsHash = keccak256(abi.encode(totals));
    }

    function hashOf(BatchHeader memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, header));
    }

    /// @dev The EIP-712 digest from first principles, apart from the contract's own code.
    function digestOf(address verifying, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Plimsoll"),
                keccak256("1"),
                block.chainid,
                verifying
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function signed(uint256 key, address verifying, bytes32 structHash)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(verifying, structHash));
        return abi.encodePacked(r, s, v);
    }

    function signatureOf(BatchHeader memory header) internal view returns (bytes memory) {
        return signed(SEQUENCER_KEY, address(settlement), hashOf(header));
    }

    function proofOf(bytes32 batchHash) internal view returns (bytes memory) {
        bytes[] memory signatures = new bytes[](1);
        bytes32 structHash =
            keccak256(abi.encode(keccak256("Attestation(bytes32 batchHash)"), batchHash));
        signatures[0] = signed(ATTESTOR_KEY, address(verifier), structHash);
        return abi.encode(signatures);
    }

    function commit(BatchHeader memory header) internal {
        bytes memory signature = signatureOf(header);
        vm.prank(RELAYER, RELAYER);
        settlement.commit(header, signature, LOG);
    }

    function finalise(BatchHeader memory header) internal {
        settlement.finalise(header, totals, proofOf(hashOf(header)));
    }

    /// @dev Commits a batch with this output root and makes it final.
    function settled(bytes32 outputRoot) internal returns (BatchHeader memory header) {
        header = nextHeader();
        header.outputRoot = outputRoot;
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        finalise(header);
    }

    function depositFor(PlainToken token, uint8 asset, address owner, uint256 amount) internal {
        token.mint(address(this), amount);
        token.approve(address(vault), amount);
        vault.deposit(asset, amount, owner, 0);
    }
}

/// @dev Outputs and their tree.
library OutputTree {
    function leafOf(Output memory output) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(output.id, output.account, output.owner, output.asset, output.amount)
            );
    }

    function rootOf(Output[] memory outputs) internal pure returns (bytes32) {
        return MerkleTree.root(leavesOf(outputs));
    }

    function proofOf(Output[] memory outputs, uint256 index)
        internal
        pure
        returns (bytes32[] memory)
    {
        return MerkleTree.proof(leavesOf(outputs), index);
    }

    function leavesOf(Output[] memory outputs) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](outputs.length);
        for (uint256 i = 0; i < outputs.length; ++i) {
            leaves[i] = leafOf(outputs[i]);
        }
    }
}
