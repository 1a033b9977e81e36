// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {BatchHeader, Totals} from "../../contracts/types/Batch.sol";
import {CONTENT_TOTALS, ContentPlace} from "../../contracts/types/Content.sol";
import {PlainToken} from "../contracts/support/HostileTokens.sol";
import {vm} from "../contracts/support/Vm.sol";
import {OpenSettlement, SettlementTerms} from "./support/OpenSettlement.sol";

/// @dev What the court asks of router and registry.
contract Delays {
    function unstakeDelay() external pure returns (uint64) {
        return 3 days;
    }

    function retireDelay() external pure returns (uint64) {
        return 3 days;
    }
}

/// @dev C-4: a bond goes to who demanded, or to who showed what was demanded; a stranger takes
/// neither it nor what the court owes already. One batch, whose totals I demanded.
abstract contract Bonds is SettlementTerms {
    uint256 internal constant BOND = 1e9;
    address internal constant COURT = address(0x2000003);
    address internal constant GOVERNOR = address(0x2000001);
    address internal constant ME = address(0x3000001);
    int128 private constant INSURANCE = 17;

    OpenSettlement private _settlement;
    PlainToken private _cash;
    Court private _court;
    BatchHeader private _header;
    bytes32 private _id;

    function setUp() public {
        vm.warp(1_800_000_000);
        address registry = address(new Delays());
        _cash = new PlainToken(6);
        _settlement = new OpenSettlement(terms(address(this), registry, COURT));
        Court made = new Court(
            ICourt.Config(
                address(_cash),
                address(_settlement),
                registry,
                address(this),
                GOVERNOR,
                BOND,
                1 hours
            ),
            new uint8[](0),
            new address[](0)
        );
        vm.etch(COURT, address(made).code);
        _court = Court(COURT);
        _header.batchNo = 1;
        _header.totalsHash = keccak256(abi.encode(totalsOf(INSURANCE, 3)));
        _settlement.putOpen(_header, 0);
        fill(ME);
        earn();
        _id = demand(ME);
    }

    /// @dev With answers of my own I have a bond that the court owes me.
    function earn() private {
        bytes32 id = demand(ME);
        vm.prank(ME);
        _court.answerContent(id, _header, place(), abi.encode(totalsOf(INSURANCE, 3)));
    }

    /// @dev The totals of the batch are any: of a hash in numbers Halmos knows no preimage.
    function answers(address caller, Totals memory truth, Totals memory shown) internal {
        vm.assume(caller != ME);
        _header.totalsHash = keccak256(abi.encode(truth));
        _settlement.putOpen(_header, 0);
        bytes32 id = demand(ME);
        uint256 owed = _court.bondOf(ME);
        bytes memory data =
            abi.encodeCall(_court.answerContent, (id, _header, place(), abi.encode(shown)));
        vm.prank(caller);
        (bool isDone,) = COURT.call(data);
        assert(_court.bondOf(ME) == owed);
        assert((_court.demandOf(id).challenger == ME) != isDone);
        if (isDone) {
            assert(
                isRight(truth.insuranceE6 == shown.insuranceE6 && truth.accounts == shown.accounts)
            );
        }
    }

    /// @dev Of this batch or another, while my cash lies open to the court.
    function demands(address caller, bytes32 stateRoot, bytes32 totalsHash) internal {
        vm.assume(caller != ME && caller != address(0) && caller != COURT);
        fill(caller);
        (uint256 owed, uint256 mine) = (_court.bondOf(ME), _cash.balanceOf(ME));
        BatchHeader memory other = _header;
        (other.stateRoot, other.totalsHash) = (stateRoot, totalsHash);
        _settlement.putOpen(other, 1);
        vm.prank(caller);
        (bool isDone,) =
            COURT.call(abi.encodeCall(_court.demandContent, (other, CONTENT_TOTALS, "")));
        assert(_court.bondOf(ME) == owed && _cash.balanceOf(ME) == mine);
        assert(_court.demandOf(_id).challenger == ME);
        if (isDone) assert(isRight(_cash.balanceOf(caller) == 9 * BOND));
    }

    /// @dev Of what the court owes me, nothing is claimed, taken or sent elsewhere by another.
    function claims(address caller) internal {
        uint256 before = _court.bondOf(ME) + _cash.balanceOf(ME);
        vm.prank(caller);
        (bool isDone,) = COURT.call(abi.encodeCall(_court.claimBond, ()));
        assert(_court.bondOf(ME) + _cash.balanceOf(ME) == before);
        if (isDone) assert(isRight(caller == ME));
    }

    function isRight(bool holds) internal pure virtual returns (bool) {
        return holds;
    }

    function demand(address caller) private returns (bytes32 id) {
        vm.prank(caller);
        return _court.demandContent(_header, CONTENT_TOTALS, "");
    }

    function fill(address owner) private {
        _cash.mint(owner, 10 * BOND);
        vm.prank(owner);
        _cash.approve(COURT, type(uint256).max);
    }

    function place() private view returns (ContentPlace memory) {
        return ContentPlace(CONTENT_TOTALS, 0, 0, _header.totalsHash);
    }

    function totalsOf(int128 insurance, uint32 accounts)
        internal
        pure
        returns (Totals memory made)
    {
        (made.insuranceE6, made.accounts) = (insurance, accounts);
    }
}

contract BondsSymbolic is Bonds {
    function check_only_what_was_demanded_earns_the_bond(
        address caller,
        int128 trueInsurance,
        uint32 trueAccounts,
        int128 insurance,
        uint32 accounts
    ) public {
        answers(caller, totalsOf(trueInsurance, trueAccounts), totalsOf(insurance, accounts));
    }

    function check_a_demand_is_paid_by_who_makes_it(
        address caller,
        bytes32 stateRoot,
        bytes32 totalsHash
    ) public {
        demands(caller, stateRoot, totalsHash);
    }

    function check_a_bond_is_claimed_by_whose_it_is(address caller) public {
        claims(caller);
    }
}

/// @dev Whoever gets through is held to be wrong: each call must be able to succeed.
contract BondsPlanted is BondsSymbolic {
    function isRight(bool) internal pure override returns (bool) {
        return false;
    }
}
