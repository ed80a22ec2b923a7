"""Write published.npz: small random models of the `transformers` library, with what they answer.

Run it where `transformers` is installed (5.23.0 wrote the committed file); the tests only read:

    python tests/transformer/make_published.py
"""

from pathlib import Path

import numpy as np
import torch
import transformers as hf

V, N, SEED = 17, 7, 0
SMALL = {"num_hidden_layers": 2, "vocab_size": V, "max_position_embeddings": 9}
NO_ENDS = {"bos_token_id": None, "eos_token_id": None}
GPT2 = hf.GPT2Config(vocab_size=V, n_embd=8, n_layer=2, n_head=2, n_positions=9, **NO_ENDS)
BERT = hf.BertConfig(hidden_size=8, num_attention_heads=2, intermediate_size=20, **SMALL)
LLAMA = hf.LlamaConfig(
    hidden_size=16,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=20,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
    tie_word_embeddings=False,
    **SMALL,
)


def randomise(model, generator):
    """Return the model in float64 with wide random weights, norms' scales around 1."""
    model.double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(0.3 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
            if name.endswith(("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight")):
                p.add_(1.0)
    return model


@torch.no_grad()
def main():
    """Make the three models, run them, write everything."""
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(V, (2, N), generator=generator)
    segments = (torch.arange(N) >= 3).long().expand(2, N)
    lengths = torch.tensor([N, 4])
    seen = (torch.arange(N) < lengths[:, None]).long()
    gpt2 = randomise(hf.GPT2Model(GPT2), generator)
    bert = randomise(hf.BertModel(BERT), generator)
    llama = randomise(hf.LlamaForCausalLM(LLAMA), generator)
    read = bert(ids, token_type_ids=segments, attention_mask=seen)
    out = {
        "ids": ids,
        "segments": segments,
        "lengths": lengths,
        "gpt2.out": gpt2(ids).last_hidden_state,
        "bert.out": read.last_hidden_state,
        "bert.pooled": read.pooler_output,
        "llama.out": llama(ids).logits,
    }
    for name, model in (("gpt2", gpt2), ("bert", bert), ("llama", llama)):
        out |= {f"{name}/{key}": w for key, w in model.state_dict().items()}
    arrays = {key: np.asarray(w) for key, w in out.items()}
    np.savez_compressed(Path(__file__).with_name("published.npz"), **arrays)


if __name__ == "__main__":
    main()
