"""The captioner's decoder as the bot runs it: captions of one search branch over one cache, in fused operators.

As in export/tree_speaker.py new words go into the next free slots whichever caption they belong to, and a mask shows
each the words of its own caption. Shapes: T new words, S words up to and with them, R slots of the cache (S <= R),
N cells and concept words of the photo, H heads, d width, D = d / H, K likeliest words.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.tree_speaker import MICROSOFT, attend_in_place
from models.captioner import Block, Captioner


class BranchingCaptioner(nn.Module):
    """Emits ONNX Runtime's fused operators while it is exported and computes the same in PyTorch otherwise."""

    def __init__(self, network: Captioner) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, ids: Tensor, said: Tensor, bias: Tensor, last: Tensor, total: Tensor, lift: Tensor, *rest: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the likeliest next words (T, K) int64, their log-probabilities, and the caches with the new words.

        ids (1, T) int64 are the last words of T captions and said (1,) int64 how many each had before; bias
        (1, 1, T, S) is added to the attention scores; last (1,) int32 is S - 1 and total () int32 S; lift (1, words)
        as of the encoder. ``rest``: keys_0, values_0, keys_1, ... of the photo, each (1, H, N, D), then past_k_0,
        past_v_0, ... each (1, H, R, D), of which the first S - T slots are filled.
        """
        network, layers = self.network, self.network.config.layers
        x = network.embed(ids) + F.embedding(said, network.position)  # (1, T, d)
        blocks, presents = cast(list[Block], list(network.blocks)), []
        normed = blocks[0].norm1(x)
        for i, block in enumerate(blocks):
            photo, past = rest[2 * i : 2 * i + 2], rest[2 * (layers + i) : 2 * (layers + i) + 2]
            attended, *present = _attend_back(block, block.qkv(normed), past, (last, total, bias))
            presents += present
            normed, x = _add_norm(x, block.out(attended), block.norm2)
            normed, x = _add_norm(x, block.cross_out(_attend_photo(block, block.query(normed), *photo)), block.norm3)
            after = blocks[i + 1].norm1 if i + 1 < layers else network.norm
            normed, x = _add_norm(x, block.narrow(F.gelu(block.wide(normed))), after)
        words, log_probs = network.likeliest(normed, lift)
        return (words[0], log_probs[0], *presents)


def _add_norm(x: Tensor, y: Tensor, norm: nn.LayerNorm) -> tuple[Tensor, Tensor]:
    """Return the normalised sum and the sum."""
    if not torch.compiler.is_exporting():
        return norm(x + y), x + y
    normed, _, _, added = torch.onnx.ops.symbolic_multi_out(
        f"{MICROSOFT}::SkipLayerNormalization",
        (x, y, norm.weight, norm.bias),
        {"epsilon": norm.eps},
        dtypes=[x.dtype] * 4,
        shapes=[x.shape, (1,), (1,), x.shape],
        version=1,
    )
    return normed, added


def _attend_photo(block: Block, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return (1, T, d) of query (1, T, d), keys and values (1, H, N, D)."""
    if not torch.compiler.is_exporting():
        q = query.view(1, -1, block.heads, keys.shape[-1]).transpose(1, 2)
        return F.scaled_dot_product_attention(q, keys, values).transpose(1, 2).reshape(query.shape)
    return torch.onnx.ops.symbolic(
        f"{MICROSOFT}::MultiHeadAttention",
        (query, keys, values),
        {"num_heads": block.heads},
        dtype=query.dtype,
        shape=query.shape,
        version=1,
    )


def _attend_back(
    block: Block, qkv: Tensor, past: tuple[Tensor, ...], shared: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (1, T, d) of qkv (1, T, 3 d), and both caches."""
    past_k, past_v = past
    last, total, bias = shared
    heads, shape = block.heads, (*qkv.shape[:2], qkv.shape[2] // 3)
    if torch.compiler.is_exporting():
        y, k, v = torch.onnx.ops.symbolic_multi_out(
            f"{MICROSOFT}::GroupQueryAttention",
            (qkv, None, None, past_k, past_v, last, total, None, None, None, bias),
            {"num_heads": heads, "kv_num_heads": heads, "do_rotary": 0},
            dtypes=[qkv.dtype] * 3,
            shapes=[shape, past_k.shape, past_v.shape],
            version=1,
        )
        return y, k, v
    q, k, v = (part.view(1, shape[1], heads, -1).transpose(1, 2) for part in qkv.chunk(3, dim=-1))  # (1, H, T, D)
    return attend_in_place(q, (k, v), (past_k, past_v), int(total), bias)
