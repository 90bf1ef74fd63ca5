"""Products: the same as naive ones, lane by lane, in every type and from every view."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from methods import products
from methods.products import FASTEST, chosen_library, libraries, multiplies_bfloat16, product

SHAPES = [(1, 64, 784, 256), (3, 17, 48, 32), (2, 1, 16, 16)]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_are_those_of_double_precision(
    shape: tuple[int, int, int, int], dtype: torch.dtype
) -> None:
    lanes, m, k, n = shape
    draws = torch.Generator().manual_seed(1)
    a = torch.randn(lanes, m, k, generator=draws, dtype=torch.float64)
    b = torch.randn(lanes, k, n, generator=draws, dtype=torch.float64)
    bias = torch.randn(lanes, 1, n, generator=draws, dtype=torch.float64)
    right = torch.einsum("smk,skn->smn", a, b)
    close = partial(
        torch.testing.assert_close, rtol=0.0, atol=1e-12 if dtype is torch.float64 else 2e-4
    )
    x, w, c = a.to(dtype), b.to(dtype), bias.to(dtype)
    close(product(x, w).double(), right)
    close(product(x, w, bias=c).double(), right + bias)
    out = torch.empty(lanes, m, n, dtype=dtype)
    assert product(x, w, out=out) is out
    close(out.double(), right)
    for factors in (
        (x.transpose(1, 2).contiguous().transpose(1, 2), w),
        (x, w.transpose(1, 2).contiguous().transpose(1, 2)),
        (x[:1].expand(lanes, -1, -1), w),
    ):
        expected = torch.einsum("smk,skn->smn", *(f.double() for f in factors))
        close(product(*factors).double(), expected)


@pytest.fixture(params=sorted(libraries()))
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let float32 products go through each of the libraries at hand in turn."""
    name = str(request.param)
    monkeypatch.setattr(products, "chosen_library", lambda: name)
    return name


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("reduced", [False, True])
def test_a_lanes_product_does_not_depend_on_the_stack(reduced: bool) -> None:
    draws = torch.Generator().manual_seed(2)
    for m, k, n in ((64, 784, 256), (17, 48, 32), (5, 16, 48)):
        a = torch.randn(5, m, k, generator=draws)
        b = torch.randn(5, k, n, generator=draws)
        whole = product(a, b, reduced=reduced)
        turned = product(a.flip(0), b.flip(0), reduced=reduced).flip(0)
        assert torch.equal(whole, turned)
        for lane in range(5):
            part = slice(lane, lane + 1)
            assert torch.equal(product(a[part], b[part], reduced=reduced)[0], whole[lane])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("native", [False, True])
def test_reduced_products_round_their_factors_and_nothing_inside(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if native and not multiplies_bfloat16():
        pytest.skip("this processor does not multiply bfloat16 matrices")
    monkeypatch.setattr(products, "multiplies_bfloat16", lambda device: native)
    draws = torch.Generator().manual_seed(3)
    a, b = torch.randn(2, 9, 300, generator=draws), torch.randn(2, 300, 16, generator=draws)
    bias = torch.randn(2, 1, 16, generator=draws)
    exact = a.bfloat16().double() @ b.bfloat16().double()
    found = product(a, b, bias=bias, reduced=True)
    assert found.dtype is torch.float32
    # One rounding of the result to eight significant bits; the sums inside are in float32.
    error = (found.double() - bias.double() - exact).abs()
    assert (error <= exact.abs() * 2**-8 + 1e-3).all()
    assert error.max() > 0


def test_the_library_is_chosen_by_processor_and_is_at_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert chosen_library() in libraries()
    assert set(FASTEST.values()) <= {"torch", "openblas", "onednn"}
    for (vendor, instructions), fastest in FASTEST.items():
        monkeypatch.setattr(products, "_vendor", lambda vendor=vendor: vendor)
        monkeypatch.setattr(
            torch.backends.cpu, "get_cpu_capability", lambda which=instructions: which
        )
        found = chosen_library.__wrapped__()
        assert found == (fastest if fastest in libraries() else "torch")
    monkeypatch.setattr(products, "_vendor", lambda: "some other maker")
    assert chosen_library.__wrapped__() == "torch"


def test_the_description_names_the_library_and_its_version() -> None:
    name, version = products.description().split(" ", 1)
    assert name == chosen_library()
    assert version[0].isdigit()


@pytest.mark.usefixtures("library")
def test_a_product_that_overflows_says_nothing(recwarn: pytest.WarningsRecorder) -> None:
    huge = torch.full((1, 16, 16), 1e30)
    assert product(huge, huge).isinf().all()
    assert not recwarn.list
