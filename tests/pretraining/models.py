"""Small models for tests of decoding: float64, with weights wide enough for tokens to matter."""

import torch

from coursekit.transformer import GPT, TransformerConfig

V = 11


def small_model(seed=0, *, scale=0.5, **changes):
    """A model whose logits depend on every token before."""
    shape = {"vocab_size": V, "d_model": 8, "n_layers": 2, "n_heads": 4, "max_len": 16}
    model = GPT(TransformerConfig(**shape | changes)).double()
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(scale * torch.randn(p.shape, generator=g, dtype=p.dtype))
    return model


def some_prompts(*lengths, seed=0):
    """Random tokens."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(0, V, (n,), generator=g).tolist() for n in lengths]
