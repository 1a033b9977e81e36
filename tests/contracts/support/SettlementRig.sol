// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {ICollateralVault} from "../../../contracts/interfaces/ICollateralVault.sol";
import {ISequencerRegistry} from "../../../contracts/interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {IVaultLimits} from "../../../contracts/interfaces/IVaultLimits.sol";
import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {AttestedVerifier} from "../../../contracts/proof/AttestedVerifier.sol";
import {ProofRouter} from "../../../contracts/proof/ProofRouter.sol";
import {SequencerRegistry} from "../../../contracts/settlement/SequencerRegistry.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {BatchHeader, Output, Totals} from "../../../contracts/types/Batch.sol";
import {ExitSums} from "../../../contracts/types/Checkpoint.sol";
import {CollateralVault} from "../../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./HostileTokens.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {vm} from "./Vm.sol";

/// @dev Stands for what Settlement and vault only ask: parameters, verifications, limits.
contract Answers is IVaultLimits {
    bytes32 public paramsHash = keccak256("parameters");
    mapping(bytes32 batchHash => uint256) public verifiedCount;
    mapping(bytes32 paramsHash => bytes32) public listingRootOf;

    function setVerifiedCount(bytes32 batchHash, uint256 count) external {
        verifiedCount[batchHash] = count;
    }

    function setListingRoot(bytes32 root) external {
        listingRootOf[paramsHash] = root;
    }

    function isAcceptable(bytes32 paramsHash_) external view returns (bool) {
        return paramsHash_ == paramsHash;
    }

    function areDepositsPaused() external pure returns (bool) {
        return false;
    }

    function depositCap(uint8) external pure returns (uint256) {
        return type(uint256).max;
    }

    function outflowCap(uint8, uint256) external pure returns (uint256) {
        return type(uint256).max;
    }

    function outflowWindow() external pure returns (uint64) {
        return 1 hours;
    }
}

/// @dev Custody, settlement, registry and proofs wired as in a deployment, with keys that the test
/// holds. The test is the governor.
abstract contract SettlementRig {
    uint256 internal constant SEQUENCER_KEY = uint256(keccak256("sequencer"));
    uint256 internal constant STANDBY_KEY = uint256(keccak256("standby"));
    uint256 internal constant ATTESTOR_KEY = uint256(keccak256("attestor"));
    uint256 internal constant START = 1_700_000_000;
    uint64 internal constant WINDOW = 60;
    uint64 internal constant PROVEN_WINDOW = 20;
    uint64 internal constant MAX_EXTENSION = 100;
    uint64 internal constant VERIFY_WINDOW = 200;
    uint64 internal constant MAX_OPEN = 3;
    uint64 internal constant MAX_SKEW = 15;
    uint64 internal constant MAX_LAG = 1 days;
    uint64 internal constant FORCED_DEADLINE = 2000;
    uint64 internal constant LIVENESS = 1000;
    uint64 internal constant REPAIR_TIME = 500;
    uint64 internal constant UNSTAKE_DELAY = 300;
    uint256 internal constant MINIMUM_STAKE = 1000e6;
    bytes32 internal constant ENGINE = keccak256("engine");
    bytes32 internal constant EXIT_ROOT = keccak256("sum tree");
    bytes internal constant LOG = "frame";

    /// @dev Sends commits, as transactions of its own.
    address internal constant RELAYER = address(0xbeef);
    address internal constant COURT = address(0xc0047);
    address internal constant GUARDIAN = address(0x94a4d);

    PlainToken internal cash;
    PlainToken internal collateral;
    CollateralVault internal vault;
    Inbox internal inbox;
    Settlement internal settlement;
    SequencerRegistry internal registry;
    InsuranceFund internal insurance;
    ProofRouter internal router;
    AttestedVerifier internal verifier;
    Answers internal answers;

    Totals internal totals;

    function deployRig() internal {
        vm.warp(START);
        vm.roll(1000);
        cash = new PlainToken(6);
        collateral = new PlainToken(8);
        holdCollateral(0, 0, 0);
        answers = new Answers();
        router = new ProofRouter(address(this), 1 days);
        address[] memory attestors = new address[](1);
        attestors[0] = vm.addr(ATTESTOR_KEY);
        verifier = new AttestedVerifier(attestors, 1);
        router.register(0, address(verifier), false);

        uint256 nonce = vm.getNonce(address(this));
        address fundAt = vm.computeCreateAddress(address(this), nonce);
        address vaultAt = vm.computeCreateAddress(address(this), nonce + 1);
        address inboxAt = vm.computeCreateAddress(address(this), nonce + 2);
        address settlementAt = vm.computeCreateAddress(address(this), nonce + 4);
        insurance = new InsuranceFund(
            address(cash), vaultAt, settlementAt, address(answers), address(this)
        );
        vault = new CollateralVault(vaultConfig(inboxAt, settlementAt), assets());
        inbox = new Inbox(vaultAt, settlementAt);
        registry = new SequencerRegistry(registryConfig(fundAt));
        settlement = makeSettlement(config(vaultAt, inboxAt, fundAt));
        vm.assertEq(address(settlement), settlementAt);
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
    }

    /// @dev So that a test can put a broken one in its place.
    function makeSettlement(ISettlement.Config memory made) internal virtual returns (Settlement) {
        return new Settlement(made);
    }

    function stakeFor(address owner, uint256 amount) internal {
        cash.mint(owner, amount);
        vm.startPrank(owner);
        cash.approve(address(registry), amount);
        registry.stake(amount);
        vm.stopPrank();
    }

    /// @dev Totals of the one collateral asset.
    function holdCollateral(uint128 held, uint128 deposited, uint128 withdrawn) internal {
        totals.collateralE8 = [held];
        totals.depositedCollateral = [deposited];
        totals.withdrawnCollateral = [withdrawn];
    }

    /// @dev What a sum tree over these totals adds up to when nobody owes anything.
    function sums() internal view returns (ExitSums memory made) {
        int256 net = totals.netCashE6;
        made.equityE6 = uint128(uint256(net > 0 ? net : int256(0)));
        made.owedE6 = uint128(uint256(net < 0 ? -net : int256(0)));
        made.collateralE8 = totals.collateralE8;
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
            registry: address(registry),
            court: COURT,
            provenWindow: PROVEN_WINDOW,
            attestedWindow: WINDOW,
            maxExtension: MAX_EXTENSION,
            verifyWindow: VERIFY_WINDOW,
            maxOpenBatches: MAX_OPEN,
            maxSkew: MAX_SKEW,
            maxLag: MAX_LAG,
            forcedDeadline: FORCED_DEADLINE,
            liveness: LIVENESS,
            repairTime: REPAIR_TIME,
            engineHash: ENGINE
        });
    }

    function registryConfig(address fundAt)
        internal
        view
        returns (ISequencerRegistry.Config memory)
    {
        return ISequencerRegistry.Config({
            cash: address(cash),
            court: COURT,
            insuranceFund: fundAt,
            governor: address(this),
            guardian: GUARDIAN,
            minimumStake: MINIMUM_STAKE,
            unstakeDelay: UNSTAKE_DELAY,
            sequencer: vm.addr(SEQUENCER_KEY),
            standby: vm.addr(STANDBY_KEY)
        });
    }

    function vaultConfig(address inboxAt, address settlementAt)
        internal
        view
        returns (ICollateralVault.Config memory)
    {
        return ICollateralVault.Config({
            inbox: inboxAt,
            settlement: settlementAt,
            exit: address(0xe817),
            limits: address(answers),
            governor: address(this)
        });
    }

    function assets() private view returns (ICollateralVault.NewAsset[] memory list) {
        list = new ICollateralVault.NewAsset[](2);
        list[0] = ICollateralVault.NewAsset(address(cash), 1);
        list[1] = ICollateralVault.NewAsset(address(collateral), 1);
    }

    /// @dev A right header on top of the chain, which consumes the whole inbox.
    function nextHeader() internal view returns (BatchHeader memory header) {
        uint64 head = settlement.head();
        header.schema = 2;
        header.batchNo = head + 1;
        header.prevBatchHash = settlement.batchHashOf(head);
        header.prevStateRoot = settlement.lastStateRoot();
        header.stateRoot = keccak256(abi.encode("state", header.batchNo));
        header.checkpointRoot = BatchHash.checkpointRoot(EXIT_ROOT, sums());
        header.inputLogHash = keccak256(abi.encode("log", header.batchNo));
        header.traceRoot = keccak256(abi.encode("trace", header.batchNo));
        header.stepCount = 1;
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
        header.l1BlockNumber = uint64(block.number - 1);
        header.l1BlockHash = blockhash(block.number - 1);
        uint64 last = settlement.lastTimeEnd();
        uint64 time = uint64(block.timestamp * 1e9);
        header.timeStart = time > last ? time : last;
        header.timeEnd = header.timeStart + 1e9;
        header.totalsHash = keccak256(abi.encode(totals));
        (, header.sequencerEpoch,) = registry.current();
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
        settlement.finalise(header, totals, sums(), EXIT_ROOT, proofOf(hashOf(header)));
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
