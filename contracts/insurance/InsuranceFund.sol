// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchStatus, Totals} from "../types/Batch.sol";

/// @title InsuranceFund
contract InsuranceFund is IInsuranceFund, AccessControl {
    using SafeERC20 for IERC20;

    /// @dev One slot. The amount is due when the batch with this number and hash is final.
    struct Credit {
        uint64 batchNo;
        uint192 amountE6;
    }

    /// @dev One slot, which a batch and a fee change. It is never zero, so that the first fee of a
    /// new fund costs its keeper no more than a later one. 64 bits hold any supply of the cash.
    struct Book {
        uint64 nextBatch;
        uint64 owedE6;
        int128 balanceE6;
    }

    uint8 private constant CASH = 0;
    uint8 private constant SUBACCOUNT = 0;

    address public immutable cash;
    address public immutable vault;
    address public immutable settlement;
    address public immutable liquidationManager;
    address private immutable _first; // admin

    Book private _book;
    /// @inheritdoc IInsuranceFund
    uint128 public contributedE6;
    /// @inheritdoc IInsuranceFund
    uint128 public drawnE6;
    /// @inheritdoc IInsuranceFund
    uint128 public shortfallE6;
    /// @inheritdoc IInsuranceFund
    mapping(bytes32 batchHash => mapping(address keeper => Credit)) public creditOf;

    constructor(
        address cash_,
        address vault_,
        address settlement_,
        address liquidationManager_,
        address admin
    ) {
        if (
            cash_ == address(0) || vault_ == address(0) || settlement_ == address(0)
                || liquidationManager_ == address(0) || admin == address(0)
        ) revert ZeroAddress();
        cash = cash_;
        vault = vault_;
        settlement = settlement_;
        liquidationManager = liquidationManager_;
        _first = admin;
        _book.nextBatch = 1;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IInsuranceFund
    function fund(uint256 amountE6) external {
        emit Funded(msg.sender, amountE6);
        IERC20(cash).safeTransferFrom(msg.sender, address(this), amountE6);
    }

    /// @inheritdoc IInsuranceFund
    function seed(uint256 amountE6) external onlyRole(DEFAULT_ADMIN_ROLE) {
        uint256 reserve = reserveE6();
        if (amountE6 > reserve) revert InsufficientReserve(amountE6, reserve);

        IERC20(cash).forceApprove(vault, amountE6);
        uint64 index = ICollateralVault(vault).deposit(CASH, amountE6, address(this), SUBACCOUNT);
        emit Seeded(amountE6, index);
    }

    /// @inheritdoc IInsuranceFund
    function payKeeper(uint64 batchNo, bytes32 batchHash, address keeper, uint64 feeE6)
        external
        returns (uint64 paidE6)
    {
        if (msg.sender != liquidationManager) revert NotLiquidationManager(msg.sender);

        uint64 owedE6 = _book.owedE6;
        uint256 reserve = _reserve(owedE6);
        // Below `feeE6` it fits its type.
        // forge-lint: disable-next-line(unsafe-typecast)
        paidE6 = reserve < feeE6 ? uint64(reserve) : feeE6;
        Credit storage credit = creditOf[batchHash][keeper];
        creditOf[batchHash][keeper] = Credit(batchNo, credit.amountE6 + paidE6);
        _book.owedE6 = owedE6 + paidE6;

        emit KeeperCredited(keeper, batchHash, feeE6, paidE6);
    }

    /// @inheritdoc IInsuranceFund
    function claimKeeperFees(uint64[] calldata batchNos) external returns (uint256 amountE6) {
        for (uint256 i = 0; i < batchNos.length; ++i) {
            (BatchStatus status, bytes32 batchHash) = ISettlement(settlement).batchOf(batchNos[i]);
            if (status != BatchStatus.FINALIZED) revert CreditNotDue(batchNos[i], status);
            amountE6 += _takeCredit(batchHash, msg.sender);
        }
        emit KeeperPaid(msg.sender, amountE6);

        IERC20(cash).safeTransfer(msg.sender, amountE6);
    }

    /// @inheritdoc IInsuranceFund
    function releaseDead(bytes32 batchHash, address keeper) external {
        uint64 batchNo = creditOf[batchHash][keeper].batchNo;
        (BatchStatus status, bytes32 standing) = ISettlement(settlement).batchOf(batchNo);
        if (standing == batchHash && status != BatchStatus.REVERTED) {
            revert NotDead(batchNo, batchHash);
        }
        emit CreditReleased(keeper, batchHash, _takeCredit(batchHash, keeper));
    }

    /// @inheritdoc IInsuranceFund
    function record(uint64 batchNo, Totals calldata totals) external {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        if (batchNo <= lastBatch()) revert BatchOutOfOrder(batchNo, lastBatch());

        uint128 contributed = _increase(contributedE6, totals.contributedE6);
        uint128 drawn = _increase(drawnE6, totals.drawnE6);
        uint128 shortfall = _increase(shortfallE6, totals.shortfallE6);
        _book = Book(batchNo + 1, _book.owedE6, totals.insuranceE6);
        contributedE6 = totals.contributedE6;
        drawnE6 = totals.drawnE6;
        shortfallE6 = totals.shortfallE6;

        emit InsuranceMoved(batchNo, totals.insuranceE6, contributed, drawn, shortfall);
    }

    /// @inheritdoc IInsuranceFund
    function keeperCredit(uint64 batchNo, address keeper) external view returns (uint256) {
        (BatchStatus status, bytes32 batchHash) = ISettlement(settlement).batchOf(batchNo);
        return status == BatchStatus.FINALIZED ? creditOf[batchHash][keeper].amountE6 : 0;
    }

    /// @inheritdoc IInsuranceFund
    function owedToKeepersE6() external view returns (uint256) {
        return _book.owedE6;
    }

    /// @inheritdoc IInsuranceFund
    function balanceE6() external view returns (int128) {
        return _book.balanceE6;
    }

    /// @inheritdoc AccessControl
    /// @dev Only who deployed this hands the role over. Whoever the timelock named would act without
    /// its delay, without an end, and after a freeze.
    function grantRole(bytes32 role, address account) public override {
        if (msg.sender != _first) revert AccessControlUnauthorizedAccount(msg.sender, role);
        super.grantRole(role, account);
    }

    /// @inheritdoc IInsuranceFund
    function lastBatch() public view returns (uint64) {
        return _book.nextBatch - 1;
    }

    /// @inheritdoc IInsuranceFund
    function reserveE6() public view returns (uint256) {
        return _reserve(_book.owedE6);
    }

    function _takeCredit(bytes32 batchHash, address keeper) private returns (uint256 amountE6) {
        amountE6 = creditOf[batchHash][keeper].amountE6;
        if (amountE6 == 0) revert NothingOwed(batchHash, keeper);

        delete creditOf[batchHash][keeper];
        // What is credited is owed, in 64 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _book.owedE6 -= uint64(amountE6);
    }

    function _reserve(uint256 owed) private view returns (uint256) {
        uint256 held = IERC20(cash).balanceOf(address(this));
        return held > owed ? held - owed : 0;
    }

    function _increase(uint128 before, uint128 later) private pure returns (uint128) {
        if (later < before) revert CumulativeDecreased(before, later);
        return later - before;
    }
}
