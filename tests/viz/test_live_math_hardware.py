"""The mathematics of chapter 9's figures against the chapter's library."""

import json

import pytest

from coursekit.hardware import LLAMA_3_70B, Server, accelerator, attainable, decoder
from coursekit.transformer import GPT2, LLAMA_2_7B, LLAMA_3_8B
from coursekit.viz import live
from coursekit.viz.live.decoder_shape import shapes

MODELS = {"small": LLAMA_3_8B, "older": LLAMA_2_7B, "large": LLAMA_3_70B}
H100, TPU = accelerator("H100 SXM"), accelerator("TPU v5e")
EXACT = 1e-12  # the same products, summed in another order


def of(chip):
    return chip.name, chip.peak() / 1e12, chip.bandwidth / 1e12, chip.memory / 1e9


@pytest.mark.parametrize("phase", ["decode", "prefill", "training"])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("tokens", "batch"), [(128, 1), (2048, 64)])
def test_page_python_and_library_count_the_same(js, phase, name, tokens, batch):
    figure = live.model_roofline([of(H100)[:3]], {name: MODELS[name]})
    wanted = decoder(MODELS[name], phase, tokens, batch)
    shape = json.dumps(figure.data["models"][0])
    page = js("model_roofline", f'math.work({shape}, "{phase}", {tokens}, {batch})')
    assert page["operations"] == pytest.approx(wanted.operations, rel=EXACT)
    assert page["moved"] == pytest.approx(wanted.moved, rel=EXACT)
    figure.phase, figure.tokens = phase, tokens.bit_length() - 1
    figure.batch = batch.bit_length() - 1
    assert figure.intensity() == pytest.approx(wanted.intensity, rel=EXACT)
    roof = attainable(wanted.intensity, H100.peak(), H100.bandwidth) / 1e12
    assert figure.attainable() == pytest.approx(roof, rel=EXACT)


def test_dragging_finds_the_batch_of_an_intensity(js):
    shape = json.dumps(shapes({"small": LLAMA_3_8B})[0])
    for power in (0, 5, 9):
        wanted = decoder(LLAMA_3_8B, "decode", 128, 2**power).intensity
        assert js("model_roofline", f'math.nearest({shape}, "decode", 128, {wanted})') == power


@pytest.mark.parametrize("chip", [H100, TPU], ids=lambda c: c.name)
@pytest.mark.parametrize(("bits", "chips", "batch"), [(16, 1, 1), (8, 2, 32), (4, 8, 2048)])
def test_page_python_and_library_charge_the_same(js, chip, bits, chips, batch):
    figure = live.cost_per_token([of(chip)], {"small": LLAMA_3_8B})
    figure.bits, figure.chips, figure.price, figure.share = bits, chips, 3.0, 0.4
    server = Server(
        chip, LLAMA_3_8B, chips, weight_bits=bits, cache_bits=16 if bits == 16 else 8, share=0.4
    )
    wanted = server.cost_per_million(batch, 2048, 3.0)
    data = figure.data
    settings = {"chips": chips, "bits": bits, "tokens": 2048, "share": 0.4, "price": 3.0}
    given = ", ".join(json.dumps(x) for x in (data["models"][0], data["chips"][0], settings))
    # norms are weights too, and no product: the figures read them, as the library does
    assert figure.cost(batch) == pytest.approx(wanted, rel=EXACT)
    assert js("cost_per_token", f"math.cost({given}, {batch})") == pytest.approx(wanted, rel=EXACT)
    seats = js("cost_per_token", f"math.seats({given})")
    assert seats == figure.seats()
    if server.held > 0.9 * chips * chip.memory:
        assert seats == 0
    else:
        assert seats == server.seats(2048)


def test_a_model_that_does_not_fit_is_said_to():
    figure = live.cost_per_token([of(TPU)], {"large": LLAMA_3_70B})
    assert figure.seats() == 0
    assert "do not fit" in figure.description()


@pytest.mark.parametrize("make", [live.model_roofline, live.cost_per_token])
def test_empty_lists_and_bad_numbers_are_refused(make):
    numbers = of(H100)[1:] if make is live.cost_per_token else of(H100)[1:3]
    with pytest.raises(ValueError, match="chips is empty"):
        make([], MODELS)
    with pytest.raises(ValueError, match="models is empty"):
        make([("H100", *numbers)], {})
    with pytest.raises(ValueError, match="positive, finite"):
        make([("H100", 0.0, *numbers[1:])], MODELS)
    with pytest.raises(ValueError, match="'swiglu' wanted"):
        make([("H100", *numbers)], {"gpt": GPT2})
