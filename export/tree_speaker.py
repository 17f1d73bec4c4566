"""The speaker as the bot runs it: replies grow as a tree over one key-value cache, in fused operators.

A prompt is the trunk. Every reply that is being written is a branch; its tokens see the trunk and their own branch
and nothing else, so that the prompt is kept once and replies that begin alike are computed once.
Shapes: T new tokens, S tokens up to and with them, R slots of the cache (S <= R), W tokens whose successor is asked
for, C width, H heads, D = C / H.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bot.runtime.binding import HIDDEN
from models.speaker import Attention, Block, Speaker, rotate

MICROSOFT = "com.microsoft"


class TreeSpeaker(nn.Module):
    """Emits ONNX Runtime's fused operators while it is exported and computes the same in PyTorch otherwise."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self.speaker = speaker

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        bias: Tensor,
        wanted: Tensor,
        last: Tensor,
        total: Tensor,
        cos: Tensor,
        sin: Tensor,
        *pasts: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return logits (1, W, V), then the caches with the new keys and values written in.

        ids, positions (1, T) int64; bias (1, 1, T, S) is added to the attention scores, besides which no token
        sees a later one; wanted (W,) int64 places among the new tokens; last (1,) int32 is S - 1 and total () int32
        S; cos, sin (R or more, D / 2) by position; ``pasts``: past_k_0, past_v_0, ... each (1, H, R, D), of which
        the first S - T slots are filled.
        """
        shared = (last, total, cos, sin, positions, bias)
        x = self.speaker.embedding(ids)  # (1, T, C)
        blocks = cast(list[Block], list(self.speaker.blocks))
        normed, presents = _norm(x, blocks[0].norm1), []
        for i, block in enumerate(blocks):
            attended, *present = _attend(block.attention, normed, pasts[2 * i], pasts[2 * i + 1], shared)
            presents += present
            normed, x = _add_norm(x, block.attention.out(attended), block.norm2)
            gate, up = block.gate_up(normed).chunk(2, dim=-1)
            after = blocks[i + 1].norm1 if i + 1 < len(blocks) else self.speaker.norm
            normed, x = _add_norm(x, block.down(_silu(gate) * up), after)
        return (self.speaker.head(normed.index_select(1, wanted)), *presents)


def _norm(x: Tensor, norm: nn.RMSNorm) -> Tensor:
    if not torch.compiler.is_exporting():
        return norm(x)
    return torch.onnx.ops.symbolic(
        "SimplifiedLayerNormalization",
        (x, norm.weight),
        {"axis": -1, "epsilon": norm.eps or 0.0, "stash_type": 1},
        dtype=x.dtype,
        shape=x.shape,
    )


def _add_norm(x: Tensor, y: Tensor, norm: nn.RMSNorm) -> tuple[Tensor, Tensor]:
    """Return the normalised sum and the sum."""
    if not torch.compiler.is_exporting():
        return norm(x + y), x + y
    normed, _, _, added = torch.onnx.ops.symbolic_multi_out(
        f"{MICROSOFT}::SkipSimplifiedLayerNormalization",
        (x, y, norm.weight),
        {"epsilon": norm.eps or 0.0},
        dtypes=[x.dtype] * 4,
        shapes=[x.shape, (1,), (1,), x.shape],
        version=1,
    )
    return normed, added


def _silu(x: Tensor) -> Tensor:
    if not torch.compiler.is_exporting():
        return F.silu(x)
    return torch.onnx.ops.symbolic(
        f"{MICROSOFT}::QuickGelu", (x,), {"alpha": 1.0}, dtype=x.dtype, shape=x.shape, version=1
    )


def _attend(
    attention: Attention, x: Tensor, past_k: Tensor, past_v: Tensor, shared: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (1, T, C) before the output projection, and both caches."""
    qkv, heads = attention.qkv(x), attention.heads
    if torch.compiler.is_exporting():
        y, k, v = torch.onnx.ops.symbolic_multi_out(
            f"{MICROSOFT}::GroupQueryAttention",
            (qkv, None, None, past_k, past_v, *shared),
            {"num_heads": heads, "kv_num_heads": heads, "do_rotary": 1, "rotary_interleaved": 0},
            dtypes=[x.dtype] * 3,
            shapes=[x.shape, past_k.shape, past_v.shape],
            version=1,
        )
        return y, k, v
    _, total, cos, sin, positions, bias = shared
    q, k, v = (part.view(1, x.shape[1], heads, -1).transpose(1, 2) for part in qkv.chunk(3, dim=-1))  # (1, H, T, D)
    cos, sin = cos[positions][:, None], sin[positions][:, None]  # (1, 1, T, D / 2)
    return attend_in_place(rotate(q, cos, sin), (rotate(k, cos, sin), v), (past_k, past_v), int(total), bias)


def attend_in_place(
    q: Tensor, new: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor], seen: int, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what GroupQueryAttention does: (1, T, C), and the caches of keys and values with ``new`` ones in them.

    q and the new keys and values are (1, H, T, D), the caches (1, H, R, D), of which ``seen`` slots are filled then.
    """
    count = q.shape[2]
    keys, values = (torch.cat((old[:, :, : seen - count], one), dim=2) for old, one in zip(past, new, strict=True))
    order = torch.full((count, seen), HIDDEN).triu(seen - count + 1)
    y = F.scaled_dot_product_attention(q, keys, values, attn_mask=bias + order)
    k, v = (F.pad(one, (0, 0, 0, past[0].shape[2] - seen)) for one in (keys, values))
    return y.transpose(1, 2).reshape(1, count, -1), k, v
