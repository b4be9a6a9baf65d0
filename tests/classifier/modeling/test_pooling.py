import pytest
import torch

from classifier.modeling.modeling_kinorate import POOL, cls_pooling, masked_mean_pooling
from classifier.modeling.pooling import POOLINGS, Pooling

HIDDEN = torch.tensor(
    [
        [[1.0, -2.0], [3.0, 4.0], [8.0, 1.0], [100.0, -100.0]],
        [[5.0, 6.0], [-1.0, 2.0], [7.0, 7.0], [9.0, 9.0]],
    ]
)
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])


def test_cls_pooling_is_the_first_token() -> None:
    assert cls_pooling(HIDDEN, MASK).tolist() == [[1.0, -2.0], [5.0, 6.0]]


def test_mean_pooling_is_the_mean_of_the_real_tokens() -> None:
    # (1 + 3 + 8) / 3, (-2 + 4 + 1) / 3; (5 - 1) / 2, (6 + 2) / 2
    assert masked_mean_pooling(HIDDEN, MASK).tolist() == [[4.0, 1.0], [2.0, 4.0]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_and_what_stands_in_it_change_nothing(pooling: Pooling) -> None:
    pool = POOL[pooling]
    other = HIDDEN.masked_fill(MASK.unsqueeze(-1) == 0, -7e4)
    longer = torch.cat([HIDDEN, torch.full((2, 3, 2), 1e6)], dim=1)
    longer_mask = torch.nn.functional.pad(MASK, (0, 3))
    assert torch.equal(pool(other, MASK), pool(HIDDEN, MASK))
    assert torch.equal(pool(longer, longer_mask), pool(HIDDEN, MASK))


def test_a_text_without_a_token_has_a_mean_of_zero_and_not_nan() -> None:
    assert masked_mean_pooling(HIDDEN, torch.zeros_like(MASK)).tolist() == [[0.0, 0.0]] * 2


def test_bfloat16_is_summed_up_in_float32() -> None:
    # 1 + 255 * 2**-9: in bfloat16, with its 8 binary digits, adding 2**-9 to 1 leaves 1.
    hidden = torch.full((1, 256, 1), 2.0**-9, dtype=torch.bfloat16)
    hidden[0, 0] = 1.0
    pooled = masked_mean_pooling(hidden, torch.ones(1, 256, dtype=torch.int64))
    exact = torch.tensor([[(1 + 255 * 2**-9) / 256]])
    assert pooled.dtype == torch.bfloat16
    assert torch.equal(pooled, exact.to(torch.bfloat16))

    random = torch.randn(8, 200, 16, generator=torch.Generator().manual_seed(0)).bfloat16()
    mask = (torch.arange(200) < torch.arange(20, 180, 20)[:, None]).long()
    wanted = (random.double() * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    torch.testing.assert_close(
        masked_mean_pooling(random, mask), wanted.bfloat16(), rtol=2**-8, atol=0
    )
