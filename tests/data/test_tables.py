"""The outside figures say where they come from, fit their types, and never become zero."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from coursekit import cli
from coursekit.data import tables
from coursekit.data.tables import (
    Column,
    known,
    load_table,
    select,
    table_names,
    unconfirmed,
)

FOLDER = Path(tables.__file__).parent
UNITS = {  # endings of the names of number columns that are a unit, a count or a ratio
    *("billion", "mm2", "tflops", "tops", "gb", "s", "mb", "w", "b", "tokens", "hours", "days"),
    *("million", "flop", "mfu", "pj", "nm", "bits", "sequences", "heads"),
    *("kwh", "mwh", "tonnes", "ratio"),
}
BARE = {  # numbers without a unit in the name: counts, ratios, and figures with a column `unit`
    *("year", "value", "value_lo", "value_hi", "n_compute_dies", "layers", "n_accelerators"),
    *("train_flop_reported", "mfu_reported", "peak_tflops_used", "flop_6nd", "implied_mfu"),
    *("tpp_published", "n_chips", "head_width", "cache_bytes_per_token"),
}


@pytest.fixture(params=table_names())
def table(request):
    return load_table(request.param)


def test_every_csv_is_described_and_every_description_has_its_csv():
    assert {p.stem for p in FOLDER.glob("*.csv")} == set(table_names())


def test_every_row_has_a_source_and_a_date(table):
    for row in table:
        assert row["source"]
        assert re.fullmatch(r"\d{4}(-\d\d){0,2}", str(row["as_of"])), row
        assert row["verified"] in ("seen", "memory")


def test_addresses_are_whole(table):
    for row in table:
        for address in str(row["source_url"] or "").split(" ; "):
            assert not address or re.fullmatch(r"https?://[\w.-]+/\S*", address), address


def test_a_row_whose_source_was_not_read_again_is_marked(table):
    for row in table:
        assert row["verified"] == "memory" or "unverified" not in str(row["source"]), row


def test_cells_hold_no_tabs_or_line_breaks(table):
    text = (FOLDER / f"{table.name}.csv").read_text(encoding="utf-8")
    assert "\t" not in text
    assert len(text.splitlines()) == len(table) + 1


def test_units_stand_in_the_names_or_in_a_column_of_their_own(table):
    names = {c.name for c in table.columns}
    for column in table.columns:
        if column.type in ("number", "integer"):
            assert column.name in BARE or column.name.split("_")[-1] in UNITS, column
    assert "value" not in names or "unit" in names
    for row in table:
        if row.get("value") is not None:
            assert row["unit"] or row["parameter"] in ("alpha",), row


def test_every_column_is_explained(table):
    for column in table.columns:
        assert column.description.endswith("."), column


def test_a_range_holds_its_figure(table):
    for row in table:
        if row.get("value") is not None:
            low, high = row.get("value_lo"), row.get("value_hi")
            assert low is None or low <= row["value"], row
            assert high is None or row["value"] <= high, row


def test_files_hold_the_numbers_that_are_read(table):
    with (FOLDER / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
        for line, row in zip(csv.DictReader(file), table, strict=True):
            for name, cell in line.items():
                assert (row[name] is None) == (cell == "")
                if type(row[name]) is float:
                    assert row[name] == float(cell)


def test_rows_cannot_be_changed():
    with pytest.raises(TypeError):
        load_table("market").rows[0]["value"] = 0


def test_what_is_missing_is_none_and_is_refused():
    row = load_table("accelerators").one(name="Google TPU v5p")
    assert row["die_area_mm2"] is None
    with pytest.raises(ValueError, match="die_area_mm2 of Google TPU v5p is not known; it is not"):
        known(row, "die_area_mm2")


def test_known_returns_numbers_and_refuses_text_and_strangers():
    row = load_table("accelerators").one(name="NVIDIA A100 SXM4 80GB")
    assert known(row, "die_area_mm2") == 826
    with pytest.raises(TypeError, match="which is text"):
        known(row, "vendor")
    with pytest.raises(KeyError, match="did you mean 'die_area_mm2'"):
        known(row, "die_area")


def test_unconfirmed_figures_are_marked_one_by_one_or_by_the_row():
    gaudi = load_table("accelerators").one(name="Intel Gaudi2")
    assert unconfirmed(gaudi, "on_chip_sram_mb")
    assert not unconfirmed(gaudi, "bf16_tflops")
    wafer = load_table("process_and_yield").one(item="300 mm wafer", parameter="diameter")
    assert unconfirmed(wafer, "value")
    with pytest.raises(KeyError, match="no column 'valeu'"):
        unconfirmed(wafer, "valeu")


def test_fields_from_memory_are_columns():
    table = load_table("accelerators")
    names = {c.name for c in table.columns} | {"all"}
    for row in table:
        assert set(str(row["fields_from_memory"] or "all").split(";")) <= names


def test_every_reported_chip_and_threshold_date_exists():
    chips = {row["name"] for row in load_table("accelerators")}
    assert {row["chip"] for row in load_table("export_reported")} <= chips
    dates = {row["date"] for row in load_table("export_rules")}
    assert {row["date"] for row in load_table("export_thresholds")} <= dates
    assert {row["date"] for row in load_table("export_reported")} <= dates


def test_no_matrix_rate_contradicts_the_one_at_half_the_bits():
    """An outside check of the figures: fewer bits are never slower, but where a row says why."""
    for row in load_table("accelerators"):
        if row["bf16_tflops"] and row["fp8_tflops"]:
            assert row["fp8_tflops"] >= row["bf16_tflops"], row["name"]


def test_the_bandwidth_of_an_hbm_stack_is_width_times_rate():
    table = load_table("process_and_yield")
    for kind in ("HBM2", "HBM2E", "HBM3", "HBM3E", "HBM4"):
        bits = known(table.one(item=kind, parameter="interface width"), "value")
        rate = known(table.one(item=kind, parameter="pin speed"), "value")
        quoted = known(table.one(item=kind, parameter="bandwidth per stack"), "value")
        assert bits * rate / 8 == pytest.approx(quoted, abs=0.5)  # printed without decimals


def test_one_wants_exactly_one():
    table = load_table("accelerators")
    with pytest.raises(LookupError, match="did you mean 'NVIDIA H20'"):
        table.one(name="H20")
    with pytest.raises(LookupError, match="21 rows with vendor='NVIDIA'"):
        table.one(vendor="NVIDIA")
    with pytest.raises(KeyError, match="no column 'vender'; did you mean 'vendor'"):
        table.one(vender="NVIDIA")


def test_an_unknown_table_lists_those_there_are():
    with pytest.raises(KeyError, match="no table 'chips'; there are accelerators, llms"):
        load_table("chips")


@given(st.text(max_size=12))
def test_a_number_cell_is_read_or_refused_with_what_was_got(cell):
    column = Column("mass_kg", "number", "A mass.", required=True)
    try:
        wanted = float(cell)
    except ValueError:
        with pytest.raises(ValueError, match="mass_kg is"):
            column.read(cell)
    else:
        assert repr(column.read(cell)) == repr(wanted)


@pytest.mark.parametrize(("cell", "says"), [("2", "boolean wanted"), ("", "every row needs it")])
def test_a_cell_that_does_not_fit_is_refused(cell, says):
    with pytest.raises(ValueError, match=says):
        Column("sold", "boolean", "Whether.", required=True).read(cell)


def test_a_value_outside_its_list_is_refused():
    with pytest.raises(ValueError, match="'guess'; one of seen, memory wanted"):
        Column("verified", "string", "How.", allowed=("seen", "memory")).read("guess")


def test_conditions_compare_text_without_case_and_numbers_as_numbers():
    table = load_table("accelerators")
    assert {r["vendor"] for r in select(table, ["vendor=nvidia"])} == {"NVIDIA"}
    assert select(table, ["year=2020"]) == table.where(year=2020)
    assert select(table, ["die_area_mm2="]) == table.where(die_area_mm2=None)
    with pytest.raises(ValueError, match="COLUMN=VALUE wanted"):
        select(table, ["vendor"])
    with pytest.raises(ValueError, match="year is 'soon'; a integer wanted"):
        select(table, ["year=soon"])


run = CliRunner().invoke


def test_the_command_names_tables_and_speaks_to_machines():
    listed = json.loads(run(cli.app, ["facts", "--json"]).stdout)
    assert {t["table"] for t in listed} == set(table_names())
    result = run(cli.app, ["facts", "llms", "--where", "model=GPT-3 175B", "--json"])
    rows = json.loads(result.stdout)
    assert [r["params_total_b"] for r in rows] == [
        r["params_total_b"] for r in load_table("llms").where(model="GPT-3 175B")
    ]


def test_the_command_shows_one_row_whole():
    result = run(cli.app, ["facts", "accelerators", "--where", "name=nvidia h20"])
    assert result.exit_code == 0
    assert "bandwidth_gb_s" in result.output
    assert "4000" in result.output
    assert "source" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["accelerator"], "no table 'accelerator'"),
        (["llms", "--where", "parameters=1"], "llms has no column 'parameters'"),
        (["llms", "--where", "model"], "COLUMN=VALUE wanted"),
        (["llms", "--columns", "model,size"], "llms has no column 'size'"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, says):
    result = run(cli.app, ["facts", *arguments])
    assert result.exit_code == 2
    assert says in result.output
