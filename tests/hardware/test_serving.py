"""Serving, energy and training time against arithmetic of their own and published figures."""

import pytest

from coursekit.data.tables import known, load_table
from coursekit.hardware import (
    LLAMA_2_70B,
    LLAMA_3_70B,
    LLAMA_3_405B,
    Server,
    accelerator,
    chips_to_hold,
    compare_serving,
    compare_training,
    energy_of,
    energy_of_work,
    joules_per_token,
    kv_cache_bytes,
    training_hours,
    weight_bytes,
)
from coursekit.hardware.training_time import UNLIKE
from coursekit.transformer import GPT, GPT2, LLAMA_3_8B, TransformerConfig
from coursekit.transformer.count import num_parameters, skeleton

H100 = accelerator("H100 SXM")


@pytest.mark.parametrize(
    ("config", "parameters"),
    [  # model cards of the published weights
        (LLAMA_2_70B, 68_976_648_192),
        (LLAMA_3_70B, 70_553_706_496),
        (LLAMA_3_405B, 405_853_388_800),
    ],
)
def test_shapes_have_the_published_number_of_parameters(config, parameters):
    assert num_parameters(skeleton(GPT, config)) == parameters
    assert Server(H100, config).held == 2 * parameters


def test_a_step_reads_what_the_model_multiplies_with():
    """A tied table is the output layer; one that is not tied is only looked up."""
    assert Server(H100, GPT2).weights == 2 * num_parameters(skeleton(GPT, GPT2))
    looked_up = 128_256 * 4096
    assert Server(H100, LLAMA_3_8B).weights == 2 * (8_030_261_248 - looked_up)


@pytest.mark.equation("eq-hardware-cost-per-token")
@pytest.mark.parametrize("batch", [1, 32, 4096])
def test_a_million_tokens_cost_the_hours_they_take(batch):
    server = Server(H100, LLAMA_3_8B, n_chips=2, share=0.5)
    seconds = 1e6 / batch * server.step_seconds(batch, 512)
    assert server.cost_per_million(batch, 512, 3.0) == pytest.approx(2 * 3.0 * seconds / 3600)


def test_a_small_batch_waits_for_the_weights_and_a_large_one_for_arithmetic():
    server = Server(H100, LLAMA_3_8B)
    short = 1  # a token of past: no cache to speak of
    assert server.step_seconds(1, short) == pytest.approx(server.weights / 3.35e12, rel=1e-4)
    assert server.step_seconds(2, short) == pytest.approx(server.step_seconds(1, short), rel=1e-4)
    large = server.step_seconds(4096, short)
    assert large == pytest.approx(4096 * server.weights / 989.4e12, rel=0.01)  # 2 a weight, 2 bytes
    # with a long past the caches decide again: each sequence brings its own
    long = server.step_seconds(4096, 8192)
    assert long == pytest.approx((server.weights + 4096 * 2**30) / 3.35e12, rel=1e-6)


def test_seats_are_what_the_memory_leaves():
    server = Server(H100, LLAMA_3_8B)
    n = server.seats(4096)
    cache = kv_cache_bytes(LLAMA_3_8B, 4096)
    assert server.held + n * cache <= 0.9 * 80e9 < server.held + (n + 1) * cache
    assert Server(H100, LLAMA_3_8B, cache_bits=8).seats(4096) in (2 * n, 2 * n + 1)
    with pytest.raises(ValueError, match=r"141 GB and 1 x NVIDIA H100.*at least 2 chips"):
        Server(H100, LLAMA_3_70B).seats(4096)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_chips": 0}, "n_chips is 0"), ({"share": 1.5}, "share is 1.5"), ({"weight_bits": 0}, "0")],
)
def test_bad_servers_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Server(H100, LLAMA_3_8B, **options)
    with pytest.raises(ValueError, match="price_per_hour is 0"):
        Server(H100, LLAMA_3_8B).cost_per_million(1, 1, 0)


def test_a_chip_without_a_peak_cannot_serve_silently():
    with pytest.raises(ValueError, match="is not known"):
        Server(accelerator("WSE-3"), LLAMA_3_8B).step_seconds(1, 1)


def test_published_speeds_lie_below_the_bound_and_within_a_factor_of_five():
    found = compare_serving()
    assert len({c.name.split(",")[0] for c in found}) >= 3
    for c in found:
        assert 1 < c.predicted / c.published < 5, c
    one_a100 = [c for c in found if c.name.endswith("16 bits, 1 x A100 SXM4 80GB")]
    assert all(c.predicted / c.published < 1.5 for c in one_a100)


def test_the_bound_of_one_a100_is_its_bandwidth_over_the_weights():
    """The authors' own figure: 1397 GB/s moved at 104.9 tokens a second, so 13.3 GB a token."""
    first = compare_serving()[0]
    moved_by_authors = 1397.31 / 104.9
    assert 2039 / first.predicted == pytest.approx(moved_by_authors, rel=0.02)


def test_caches_are_as_large_as_published():
    for row in load_table("kv_cache"):
        config = TransformerConfig(
            9,
            int(known(row, "kv_heads") * known(row, "head_width")),
            int(known(row, "layers")),
            int(known(row, "kv_heads")),
        )
        published = known(row, "cache_bytes_per_token")
        printed_digits = 0.03 if "digit" in str(row["notes"]) else 0.0
        found = kv_cache_bytes(config, 1, itemsize=known(row, "bits") / 8)
        assert found == pytest.approx(published, rel=printed_digits or 1e-12)


@pytest.mark.parametrize(
    ("chip", "bits", "wanted"), [("Groq TSP", 16, 609), ("Groq TSP", 8, 305), ("WSE-3", 16, 4)]
)
def test_seventy_billion_weights_need_so_many_chips_of_sram(chip, bits, wanted):
    held, memory = weight_bytes(70e9, bits), accelerator(chip).memory
    assert chips_to_hold(held, memory) == wanted
    assert (wanted - 1) * memory < held <= wanted * memory


@pytest.mark.equation("eq-hardware-energy")
def test_energy_adds_up_what_is_done_and_what_is_moved():
    per = {"per_operation": energy_of("fp16 multiplication"), "per_byte": 5e-12}
    assert energy_of_work(3, 7, **per) == pytest.approx(3 * 1.1e-12 + 35e-12)
    assert energy_of_work(0, 0, **per) == 0
    assert joules_per_token(700, 350, chips=8) == 16
    with pytest.raises(ValueError, match="moved is -1"):
        energy_of_work(1, -1, **per)
    with pytest.raises(LookupError, match="did you mean"):
        energy_of("fp32 multiply")


def test_a_token_of_65_billion_weights_takes_joules_as_measured():
    """Samsi et al. 2023: 3 to 4 J a token, LLaMA-65B on eight V100 or four A100, small batches."""
    moved = weight_bytes(65.2e9, 16)
    lower = energy_of_work(2 * 65.2e9, moved, per_operation=1e-12, per_byte=3.9e-12 * 8)
    assert 3.0 < lower < 6.0  # one sequence; their batches of up to 64 share the reading


@pytest.mark.equation("eq-hardware-training-time")
def test_hours_are_operations_over_speed():
    # 1 chip of 1e12 FLOP/s at half its peak: 6 * 1e9 * 1e9 operations
    assert training_hours(1e9, 1e9, 1e12, 0.5) == pytest.approx(6e18 / 0.5e12 / 3600)
    with pytest.raises(ValueError, match=r"utilisation is 1\.2"):
        training_hours(1, 1, 1, 1.2)
    with pytest.raises(ValueError, match="tokens is 0"):
        training_hours(1, 0, 1, 0.5)


def test_published_hours_follow_from_published_utilisation():
    """Hours hold what utilisation while running does not: restarts, evaluation, failures."""
    found = compare_training()
    assert len(found) >= 10
    assert all(-0.36 < c.error < 0.08 for c in found)
    assert sum(abs(c.error) < 0.15 for c in found) >= 6
    assert not {c.name for c in found} & set(UNLIKE)


def test_at_forty_percent_most_models_are_within_a_third():
    errors = sorted(c.error for c in compare_training(0.4))
    assert len(errors) >= 20
    assert abs(errors[len(errors) // 2]) < 0.25
    assert sum(abs(e) < 0.45 for e in errors) >= 0.8 * len(errors)
