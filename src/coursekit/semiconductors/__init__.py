"""Chapter 10: silicon, its cost, its trade and its rules.

Dies on a wafer, yield and its Monte Carlo, cost and harvesting, chiplets and stacked memory,
concentration, growth, and the export rules applied to a chip's numbers. Lengths are in mm, areas
in mm2, densities of defects on a cm2, as the trade speaks. NumPy; no PyTorch.
"""

from coursekit.semiconductors.chip import (
    Chip,
    chip_from_row,
    performance_density,
    total_processing_performance,
)
from coursekit.semiconductors.chiplets import Process, chiplet_cost, stack_cost, stack_yield
from coursekit.semiconductors.concentration import Bounds, herfindahl
from coursekit.semiconductors.cost import cost_per_good_die, harvested_yield
from coursekit.semiconductors.defects import (
    clustering,
    count_defects,
    scatter,
    scatter_clusters,
    simulated_yield,
)
from coursekit.semiconductors.export import Finding, bandwidth_density, classify
from coursekit.semiconductors.growth import Growth, cagr, fit_growth
from coursekit.semiconductors.rules import (
    DATES,
    Condition,
    Paragraph,
    paragraphs,
    review_of_2026,
)
from coursekit.semiconductors.wafer import (
    Die,
    Wafer,
    best_offset,
    dies_by_formula,
    dies_on_grid,
    place_dies,
    require_one_field,
)
from coursekit.semiconductors.yields import (
    MODELS,
    density_from_yield,
    expected_defects,
    murphy,
    negative_binomial,
    poisson,
    seeds,
)

__all__ = [
    "DATES",
    "MODELS",
    "Bounds",
    "Chip",
    "Condition",
    "Die",
    "Finding",
    "Growth",
    "Paragraph",
    "Process",
    "Wafer",
    "bandwidth_density",
    "best_offset",
    "cagr",
    "chip_from_row",
    "chiplet_cost",
    "classify",
    "clustering",
    "cost_per_good_die",
    "count_defects",
    "density_from_yield",
    "dies_by_formula",
    "dies_on_grid",
    "expected_defects",
    "fit_growth",
    "harvested_yield",
    "herfindahl",
    "murphy",
    "negative_binomial",
    "paragraphs",
    "performance_density",
    "place_dies",
    "poisson",
    "require_one_field",
    "review_of_2026",
    "scatter",
    "scatter_clusters",
    "seeds",
    "simulated_yield",
    "stack_cost",
    "stack_yield",
    "total_processing_performance",
]
