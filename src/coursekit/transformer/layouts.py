"""Our names beside the published ones, so that published weights can be loaded.

A layout maps each published name to a :class:`Slot`: which of our tensors it holds, and how.
The published names are those of the weights' own files as the `transformers` library keeps them
(`GPT2Model`, `BertModel`, `LlamaForCausalLM`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.transformer.config import TransformerConfig

CONSTANTS = (".attn.bias", ".attn.masked_bias", "position_ids", "rotary_emb.inv_freq")


class Slot(NamedTuple):
    """What one published tensor holds.

    Attributes
    ----------
    ours : tuple of str
        Our tensors, one after the other along the outputs.
    transposed : bool
        Whether it is stored as (inputs, outputs), as GPT-2 does.
    """

    ours: tuple[str, ...]
    transposed: bool = False


Layout = dict[str, Slot]


def gpt2_layout(config: TransformerConfig) -> Layout:
    """Return the layout of `GPT2Model`: one matrix for queries, keys and values, transposed.

    Examples
    --------
    >>> from coursekit.transformer import GPT2
    >>> gpt2_layout(GPT2)["h.0.attn.c_proj.weight"]
    Slot(ours=('blocks.0.attention.out.weight',), transposed=True)
    """
    out: Layout = {
        "wte.weight": Slot(("embeddings.tokens.weight",)),
        "wpe.weight": Slot(("embeddings.positions.weight",)),
        **_pair("ln_f", "norm"),
    }
    for i in range(config.n_layers):
        theirs, ours = f"h.{i}", f"blocks.{i}"
        qkv = [f"{ours}.attention.{part}" for part in ("query", "key", "value")]
        out |= _pair(f"{theirs}.ln_1", f"{ours}.norm1")
        out |= _pair(f"{theirs}.attn.c_attn", *qkv, transposed=True)
        out |= _pair(f"{theirs}.attn.c_proj", f"{ours}.attention.out", transposed=True)
        out |= _pair(f"{theirs}.ln_2", f"{ours}.norm2")
        out |= _pair(f"{theirs}.mlp.c_fc", f"{ours}.feed_forward.up", transposed=True)
        out |= _pair(f"{theirs}.mlp.c_proj", f"{ours}.feed_forward.down", transposed=True)
    return out


def bert_layout(config: TransformerConfig) -> Layout:
    """Return the layout of `BertModel`, pooler included.

    Examples
    --------
    >>> from coursekit.transformer import BERT_BASE
    >>> bert_layout(BERT_BASE)["encoder.layer.0.intermediate.dense.bias"]
    Slot(ours=('blocks.0.feed_forward.up.bias',), transposed=False)
    """
    table = "embeddings.{}_embeddings.weight"
    out: Layout = {
        table.format("word"): Slot(("embeddings.tokens.weight",)),
        table.format("position"): Slot(("embeddings.positions.weight",)),
        table.format("token_type"): Slot(("embeddings.segments.weight",)),
        **_pair("embeddings.LayerNorm", "norm"),
        **_pair("pooler.dense", "pooler"),
    }
    for i in range(config.n_layers):
        theirs, ours = f"encoder.layer.{i}", f"blocks.{i}"
        for part in ("query", "key", "value"):
            out |= _pair(f"{theirs}.attention.self.{part}", f"{ours}.attention.{part}")
        out |= _pair(f"{theirs}.attention.output.dense", f"{ours}.attention.out")
        out |= _pair(f"{theirs}.attention.output.LayerNorm", f"{ours}.norm1")
        out |= _pair(f"{theirs}.intermediate.dense", f"{ours}.feed_forward.up")
        out |= _pair(f"{theirs}.output.dense", f"{ours}.feed_forward.down")
        out |= _pair(f"{theirs}.output.LayerNorm", f"{ours}.norm2")
    return out


def llama_layout(config: TransformerConfig) -> Layout:
    """Return the layout of `LlamaForCausalLM`, for Llama 2 and 3.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> llama_layout(LLAMA_3_8B)["model.layers.31.mlp.gate_proj.weight"].ours
    ('blocks.31.feed_forward.gate.weight',)
    """
    attention = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "out"}
    parts = {f"self_attn.{theirs}": f"attention.{ours}" for theirs, ours in attention.items()}
    parts |= {f"mlp.{part}_proj": f"feed_forward.{part}" for part in ("gate", "up", "down")}
    parts |= {"input_layernorm": "norm1", "post_attention_layernorm": "norm2"}
    out: Layout = {
        "model.embed_tokens.weight": Slot(("embeddings.tokens.weight",)),
        "model.norm.weight": Slot(("norm.weight",)),
        "lm_head.weight": Slot(("head.weight",)),
    }
    for i in range(config.n_layers):
        for theirs, ours in parts.items():
            out[f"model.layers.{i}.{theirs}.weight"] = Slot((f"blocks.{i}.{ours}.weight",))
    return out


def from_published(published: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Return published weights under our names, for `load_state_dict`.

    Parameters
    ----------
    published : mapping of str to Tensor
        The weights as their file names them. Constants that some files keep beside them (masks,
        position numbers, rotary frequencies) are passed over.
    layout : dict of str to Slot
        From :func:`gpt2_layout`, :func:`bert_layout` or :func:`llama_layout`.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    ValueError
        If a name is missing or unknown.

    Examples
    --------
    >>> layout = {"w": Slot(("a", "b"), transposed=True)}
    >>> from_published({"w": torch.tensor([[1.0, 2.0]])}, layout)
    {'a': tensor([[1.]]), 'b': tensor([[2.]])}
    """
    learned = {name: w for name, w in published.items() if not name.endswith(CONSTANTS)}
    _check_names(set(learned), set(layout), "the published weights")
    out: dict[str, Tensor] = {}
    for name, slot in layout.items():
        w = learned[name].T if slot.transposed and learned[name].ndim == 2 else learned[name]
        out |= dict(zip(slot.ours, w.chunk(len(slot.ours)), strict=True))  # along the outputs
    return out


def to_published(state: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Return our weights under the published names: the way back of :func:`from_published`.

    Raises
    ------
    ValueError
        If a name is missing or unknown.

    Examples
    --------
    >>> layout = {"w": Slot(("a", "b"), transposed=True)}
    >>> to_published({"a": torch.tensor([[1.0]]), "b": torch.tensor([[2.0]])}, layout)
    {'w': tensor([[1., 2.]])}
    """
    _check_names(
        set(state), {ours for slot in layout.values() for ours in slot.ours}, "the model's weights"
    )
    out = {}
    for name, slot in layout.items():
        w = torch.cat([state[ours] for ours in slot.ours])
        out[name] = w.T if slot.transposed and w.ndim == 2 else w
    return out


def _pair(theirs: str, *ours: str, transposed: bool = False) -> Layout:
    """Return the slots of a weight and its bias."""
    kinds = ("weight", "bias")
    return {f"{theirs}.{k}": Slot(tuple(f"{o}.{k}" for o in ours), transposed) for k in kinds}


def _check_names(got: set[str], wanted: set[str], what: str) -> None:
    missing, unknown = sorted(wanted - got), sorted(got - wanted)
    if missing or unknown:
        first = [f"lacks {name}" for name in missing[:1]] + [f"has {name}" for name in unknown[:1]]
        raise ValueError(
            f"{what} do not fit the layout: {len(missing)} names missing and {len(unknown)} "
            f"unknown; it {' and '.join(first)}. Check the configuration and the names' prefix."
        )
