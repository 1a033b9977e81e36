// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevToken} from "../../../contracts/devnet/DevToken.sol";
import {Inbox} from "../../../contracts/inbox/Inbox.sol";
import {InsuranceFund} from "../../../contracts/insurance/InsuranceFund.sol";
import {IRiskParameters} from "../../../contracts/interfaces/IRiskParameters.sol";
import {ISequencerRegistry} from "../../../contracts/interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {LiquidationManager} from "../../../contracts/liquidation/LiquidationManager.sol";
import {ProofRouter} from "../../../contracts/proof/ProofRouter.sol";
import {RiskParameters} from "../../../contracts/risk/RiskParameters.sol";
import {SequencerRegistry} from "../../../contracts/settlement/SequencerRegistry.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {MODE_PORTFOLIO, Position} from "../../../contracts/types/Account.sol";
import {BatchHeader, Totals} from "../../../contracts/types/Batch.sol";
import {ExitSums} from "../../../contracts/types/Checkpoint.sol";
import {
    ColumnOpening,
    Instruction,
    Leg,
    LiquidationWitness,
    Terms
} from "../../../contracts/types/Liquidation.sol";
import {Grace} from "../../../contracts/types/OracleUse.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {Oracles} from "./Oracles.sol";
import {VenueColumns} from "./VenueColumns.sol";
import {vm} from "./Vm.sol";

/// @dev Hashes a header that is in memory, as the library takes it from calldata.
contract HeaderHasher {
    function hash(BatchHeader calldata header) external pure returns (bytes32) {
        return BatchHash.headerHash(header);
    }
}

/// @dev A whole venue of real contracts, and liquidations that are right in it.
abstract contract LiquidationVenue is Oracles, VenueColumns {
    /// @dev One liquidation. Change it before `seal` to tell a consistent lie, after to be caught
    /// lying about what was committed.
    struct Case {
        BatchHeader header;
        Instruction instruction;
        LiquidationWitness witness;
    }

    uint16 internal constant FEEDS = 18;
    uint256 internal constant INSTRUCTIONS = 13;
    uint256 internal constant EPOCHS = 6;
    uint32 internal constant ACCOUNT = 0x5A5A5;
    uint32 internal constant KEEPER_FEE_E6 = 5e6;
    bytes32 internal constant DOCUMENT_HASH = keccak256("document");
    bytes32 internal constant LISTING_ROOT = keccak256("listing");
    bytes32 internal constant ENGINE_HASH = keccak256("engine");
    uint256 internal constant SEQUENCER_KEY = 0xA11CE;
    uint256 internal constant STAKE = 10_000e6;

    /// @dev Sends commits, as transactions of its own.
    address internal constant RELAYER = address(0xbeef);
    address internal constant COURT = address(0xc0047);

    Settlement internal settlement;
    RiskParameters internal parameters;
    LiquidationManager internal manager;
    InsuranceFund internal fund;
    DevToken internal cash;
    HeaderHasher internal hasher;
    ProofRouter internal router;
    SequencerRegistry internal registry;
    int64[] internal medians;

    function deployVenue() internal {
        vm.chainId(31_337);
        deployHub(FEEDS);
        hub.setGrace(Grace(1, 0));
        hasher = new HeaderHasher();
        cash = new DevToken("Cash", "USDC", 6);
        router = new ProofRouter(address(this), 1 days);
        parameters = new RiskParameters(
            IRiskParameters.Config(address(this), address(0), 100_000, 1 days, 1 hours),
            terms(),
            keccak256(curves()),
            LISTING_ROOT,
            DOCUMENT_HASH
        );
        uint256 nonce = vm.getNonce(address(this));
        address managerAt = vm.computeCreateAddress(address(this), nonce);
        address fundAt = vm.computeCreateAddress(address(this), nonce + 1);
        address settlementAt = vm.computeCreateAddress(address(this), nonce + 4);
        manager = makeManager(ISettlement(settlementAt), InsuranceFund(fundAt));
        fund =
            new InsuranceFund(address(cash), address(this), settlementAt, managerAt, address(this));
        Inbox inbox = new Inbox(address(this), settlementAt);
        registry = new SequencerRegistry(registryConfig(fundAt));
        settlement = new Settlement(config(address(inbox)));
        vm.assertEq(address(settlement), settlementAt);
        stake();
        cash.mint(address(this), 1000e6);
        cash.approve(fundAt, 1000e6);
        fund.fund(1000e6);
        firstReport();
    }

    /// @dev So that a test can put a broken one in its place.
    function makeManager(ISettlement venue, InsuranceFund payer)
        internal
        virtual
        returns (LiquidationManager)
    {
        return new LiquidationManager(venue, hub, parameters, payer);
    }

    function config(address inboxAt) private view returns (ISettlement.Config memory) {
        return ISettlement.Config({
            vault: address(this),
            inbox: inboxAt,
            liquidationManager: address(manager),
            riskParameters: address(parameters),
            insuranceFund: address(fund),
            proofRouter: address(router),
            registry: address(registry),
            court: COURT,
            provenWindow: 600,
            attestedWindow: 600,
            maxExtension: 600,
            verifyWindow: 1200,
            maxOpenBatches: 16,
            maxSkew: 60,
            maxLag: 30 days,
            forcedDeadline: 7 days,
            liveness: 3 days,
            repairTime: 2 days,
            engineHash: ENGINE_HASH
        });
    }

    function registryConfig(address fundAt)
        private
        view
        returns (ISequencerRegistry.Config memory)
    {
        return ISequencerRegistry.Config({
            cash: address(cash),
            court: COURT,
            insuranceFund: fundAt,
            governor: address(this),
            guardian: address(this),
            minimumStake: STAKE,
            unstakeDelay: 1200,
            sequencer: vm.addr(SEQUENCER_KEY),
            standby: address(0)
        });
    }

    function stake() private {
        address sequencer = vm.addr(SEQUENCER_KEY);
        cash.mint(sequencer, STAKE);
        vm.startPrank(sequencer);
        cash.approve(address(registry), STAKE);
        registry.stake(STAKE);
        vm.stopPrank();
    }

    function firstReport() private {
        for (uint256 f = 0; f < FEEDS; ++f) {
            medians.push(f == 0 ? BTC_E8 : f == 1 ? int64(4000e8) : int64(uint64(0.5e8 + f)));
        }
        report(1, uint64(START * 1e9), medians);
    }

    function terms() internal pure returns (Terms memory) {
        return Terms({
            mmFactorE6: 800_000,
            partialTriggerE6: 1_050_000,
            fullTriggerE6: 1_000_000,
            partialCapE6: 250_000,
            offsetE6: 500_000,
            breakdownE6: 850_000,
            keeperFeeE6: KEEPER_FEE_E6,
            offsetCapUsd: 5_000_000
        });
    }

    /// @dev Stands for the vault: this venue has no collateral tokens.
    function usedCollaterals(uint64) external pure returns (uint256) {
        return 0;
    }

    /// @dev A full liquidation of `count` positions, half of them in each underlying, half short.
    function fullCase(uint256 count) internal view returns (Case memory c) {
        c.instruction.id = 77_123;
        c.instruction.account = ACCOUNT;
        c.instruction.tier = 2;
        c.witness.index = 9;
        c.witness.epochIndex = 4;
        c.witness.epoch.number = 321;
        c.witness.epoch.time = uint64(START * 1e9 + 17);
        c.witness.epoch.reportHash =
            keccak256(abi.encode(uint64(1), uint64(START * 1e9), pack(medians)));
        c.witness.leaf.owner = vm.addr(0xB0B);
        c.witness.leaf.mode = MODE_PORTFOLIO;
        c.witness.leaf.cashE6 = 400e6;
        c.witness.leaf.collateralE8 = new uint64[](2);
        c.witness.leaf.collateralE8[0] = 123_457;
        c.witness.collateral = collateralColumn();
        c.witness.leaf.positions = new Position[](count);
        c.instruction.legs = new Leg[](count);
        uint256 inFirst = (count + 1) / 2;
        for (uint256 i = 0; i < count; ++i) {
            uint256 underlying = i < inFirst ? 0 : 1;
            uint256 slot = (i - underlying * inFirst) * (count > 8 ? 1 : 7);
            uint16 instrument = uint16(underlying << 8 | slot);
            int32 lots = i % 2 == 0 ? int32(int256(40 + i)) : int32(-31);
            c.witness.leaf.positions[i] = Position(instrument, lots, int64(lots) * 80_123_457);
            c.instruction.legs[i] = Leg(instrument, -lots, 55_000e8);
        }
        c.witness.columns = new ColumnOpening[](count > 1 ? 2 : count);
        for (uint256 u = 0; u < c.witness.columns.length; ++u) {
            c.witness.columns[u].underlying = uint8(u);
            c.witness.columns[u].scenario = uint8(20 + u);
            c.witness.columns[u].values = valueColumn(u);
            c.witness.columns[u].losses = lossColumn(u);
        }
    }

    /// @dev As `fullCase`, with the charges of every underlying opened.
    function chargedCase(uint256 count) internal view returns (Case memory c) {
        c = fullCase(count);
        for (uint256 u = 0; u < c.witness.columns.length; ++u) {
            c.witness.columns[u].charges = chargeColumn(u);
        }
        c.witness.curves = curves();
    }

    /// @dev As `chargedCase`, of an account in a linear mode: no scenario is opened.
    function linearCase(uint256 count, uint8 mode) internal view returns (Case memory c) {
        c = chargedCase(count);
        c.witness.leaf.mode = mode;
        c.witness.leaf.cashE6 = 0;
        for (uint256 u = 0; u < c.witness.columns.length; ++u) {
            c.witness.columns[u].scenario = 0;
            c.witness.columns[u].losses = "";
        }
    }

    /// @dev As `fullCase`, with more cash and one leg that closes the cap of the first position.
    function partialCase(uint256 count) internal view returns (Case memory c) {
        c = fullCase(count);
        c.instruction.tier = 1;
        Leg[] memory legs = new Leg[](1);
        legs[0] = Leg(c.witness.leaf.positions[0].instrument, -10, 55_000e8); // a quarter of 40
        c.instruction.legs = legs;
    }

    /// @dev What a keeper is credited with for the batch of a case, due or not.
    function credited(Case memory c, address keeper) internal view returns (uint256 amountE6) {
        (, amountE6) = fund.creditOf(hasher.hash(c.header), keeper);
    }

    /// @dev Commits to everything that the case says, bottom up, and commits the batch.
    function seal(Case memory c) internal {
        sealColumns(c);
        sealEpoch(c);
        sealAccount(c);
        sealInstruction(c);
        sealHeader(c);
    }

    function sealColumns(Case memory c) internal pure {
        bytes32[] memory values = filler("values and funding", 4);
        bytes32[] memory losses = filler("losses", 72);
        bytes32[] memory charges = filler("charges", 3);
        bool isPortfolio = c.witness.leaf.mode == MODE_PORTFOLIO;
        for (uint256 i = 0; i < c.witness.columns.length; ++i) {
            ColumnOpening memory o = c.witness.columns[i];
            if (o.underlying > 1 || o.scenario > 35) continue;
            values[2 * uint256(o.underlying)] = columnHash(o.underlying, 255, o.values);
            losses[uint256(o.underlying) * 36 + o.scenario] =
                columnHash(o.underlying, o.scenario, o.losses);
            charges[1 + uint256(o.underlying)] = columnHash(o.underlying, 254, o.charges);
        }
        charges[0] = columnHash(255, 253, c.witness.collateral);
        for (uint256 i = 0; i < c.witness.columns.length; ++i) {
            ColumnOpening memory o = c.witness.columns[i];
            if (o.underlying > 1 || o.scenario > 35) continue;
            o.valueProof = MerkleTree.proof(values, 2 * uint256(o.underlying));
            if (isPortfolio) {
                o.lossProof = MerkleTree.proof(losses, uint256(o.underlying) * 36 + o.scenario);
            }
            if (o.charges.length != 0) {
                o.chargeProof = MerkleTree.proof(charges, 1 + uint256(o.underlying));
            }
        }
        if (c.witness.collateral.length != 0) {
            c.witness.collateralProof = MerkleTree.proof(charges, 0);
        }
        c.witness.epoch.priceRoot = MerkleTree.root(values);
        c.witness.epoch.riskRoot = MerkleTree.root(losses);
        c.witness.epoch.chargeRoot = MerkleTree.root(charges);
    }

    function sealEpoch(Case memory c) internal pure {
        bytes32[] memory epochs = filler("epochs", EPOCHS);
        epochs[c.witness.epochIndex] = keccak256(abi.encode(c.witness.epoch));
        c.instruction.epochHash = epochs[c.witness.epochIndex];
        c.witness.epochProof = MerkleTree.proof(epochs, c.witness.epochIndex);
        c.header.epochRoot = MerkleTree.root(epochs);
    }

    function sealAccount(Case memory c) internal pure {
        c.witness.accountProof = filler("accounts", 20);
        c.instruction.leafHash = keccak256(abi.encode(c.witness.leaf));
        c.instruction.accountRoot =
            MerkleTree.climb(c.instruction.leafHash, c.instruction.account, c.witness.accountProof);
    }

    function sealInstruction(Case memory c) internal pure {
        uint256 place = c.witness.index;
        uint256 count = place < INSTRUCTIONS ? INSTRUCTIONS : place + 1;
        bytes32[] memory instructions = filler("instructions", count);
        instructions[c.witness.index] = keccak256(abi.encode(c.instruction));
        c.witness.instructionProof = MerkleTree.proof(instructions, c.witness.index);
        c.header.liquidationRoot = MerkleTree.root(instructions);
        c.header.liquidationCount = uint32(count);
    }

    function sealHeader(Case memory c) internal {
        c.header.schema = 2;
        c.header.batchNo = settlement.head() + 1;
        c.header.prevBatchHash = settlement.batchHashOf(settlement.head());
        c.header.prevStateRoot = settlement.lastStateRoot();
        c.header.stateRoot = keccak256("state");
        c.header.checkpointRoot = BatchHash.checkpointRoot(0, ExitSums(0, 0, 0, new uint128[](0)));
        c.header.inputLogHash = keccak256("log");
        c.header.traceRoot = keccak256("trace");
        c.header.stepCount = 1;
        c.header.daHash = keccak256("");
        c.header.outputRoot = keccak256("outputs");
        c.header.priceRoot = keccak256("prices");
        c.header.riskRoot = keccak256("risk");
        c.header.paramsHash = parameters.paramsHash();
        c.header.engineHash = ENGINE_HASH;
        c.header.l1BlockNumber = uint64(block.number - 1);
        c.header.l1BlockHash = blockhash(block.number - 1);
        c.header.sequencerEpoch = 1;
        c.header.timeStart = uint64(START * 1e9);
        c.header.timeEnd = uint64(START * 1e9);
        if (c.header.totalsHash == 0) c.header.totalsHash = keccak256("totals");
        commitHeader(c);
    }

    function commitHeader(Case memory c) internal {
        bytes32 hash = hasher.hash(c.header);
        bytes32 toSign = keccak256(abi.encodePacked(hex"1901", settlement.domainSeparator(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SEQUENCER_KEY, toSign);
        vm.prank(RELAYER, RELAYER);
        settlement.commit(c.header, abi.encodePacked(r, s, v), "");
    }

    /// @dev Makes the batch of a case, without any totals, final.
    function finalise(Case memory c, bytes memory proof) internal {
        Totals memory totals;
        ExitSums memory sums;
        settlement.finalise(c.header, totals, sums, 0, proof);
    }

    function verify(Case memory c) internal returns (int256 balance, uint256 maintenance) {
        return manager.verify(c.header, c.instruction, c.witness);
    }

    /// @dev Other leaves: full words, so that proofs are as dear as they get.
    function filler(string memory name, uint256 count)
        internal
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(name, i));
        }
    }
}
