"""Share files of the pool payout manager: read as they are, written as it wrote them."""

from __future__ import annotations

import pytest

from valtrac.pool.model.share_files import NotAShareFile, ShareFile, read, text_of

A, B = "QUXM5s6exwXZoUQQXSvVeyrGGhoo5ZKCE2", "QHd3raPTT2cbzZUVZUooxSTPNkV6ucRZRc"
SAMPLE = f"block,683567,poolbalance,5724236827,\npoolrevenue,2303740788,\ndelegate,{A},poolshare,1359008,\n"


def test_a_file_is_read_with_what_it_holds_beyond_the_shares() -> None:
    file = read(SAMPLE + f"delegate,{B},poolshare,2534986018,\n")
    assert (file.block, file.balance, file.revenue) == (683_567, 5_724_236_827, 2_303_740_788)
    assert list(file.shares.items()) == [(A, 1_359_008), (B, 2_534_986_018)]
    assert file.difference == 5_724_236_827 - 1_359_008 - 2_534_986_018


def test_what_is_written_is_what_was_read_byte_by_byte() -> None:
    assert text_of(read(SAMPLE)) == SAMPLE


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r\n\r\n"])
def test_lines_may_end_as_on_any_system(ending: str) -> None:
    assert read(SAMPLE.replace("\n", ending)) == read(SAMPLE)


def test_a_revenue_with_a_fraction_is_cut_and_may_be_negative() -> None:
    assert read(SAMPLE.replace("2303740788", "3121000.0")).revenue == 3_121_000
    assert read(SAMPLE.replace("2303740788", "-5.9")).revenue == -5


def test_an_address_that_stands_there_twice_has_both_its_rows_and_is_told() -> None:
    file = read(SAMPLE + f"delegate,{A},poolshare,2,\n")
    assert file.shares == {A: 1_359_010}
    assert file.doubled == (A,)
    assert file == ShareFile(683_567, 5_724_236_827, 2_303_740_788, {A: 1_359_010})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it has no block"),
        ("block,1,poolbalance,2,\n", "it has no poolrevenue"),
        (SAMPLE.replace("683567", "683567.5"), "line 1: block is a whole number"),
        (SAMPLE.replace("2303740788", "1e5"), "line 2: poolrevenue is a whole number"),
        (SAMPLE.replace("1359008", "-1"), "line 3: a share is a whole number of satoshi"),
        (SAMPLE.replace(A, "0OIl"), "line 3: what stands for the delegate is no address"),
        (SAMPLE + "poolrevenue,1,\n", "line 4: poolrevenue stands there twice"),
        (SAMPLE + "hello\n", "line 4: only block"),
        (SAMPLE + f"delegate,{B}\n", "line 4: a delegate's row is"),
    ],
)
def test_each_line_that_is_not_understood_is_named(text: str, problem: str) -> None:
    with pytest.raises(NotAShareFile) as refused:
        read(text)
    assert any(problem in said for said in refused.value.problems)
