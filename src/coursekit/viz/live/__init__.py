"""Figures that the reader moves, in Jupyter and on a page without a kernel."""

from coursekit.viz.live.agent_trace import agent_trace
from coursekit.viz.live.alignment import alignment
from coursekit.viz.live.attention_heads import attention_heads
from coursekit.viz.live.backprop_graph import backprop_graph
from coursekit.viz.live.base import LiveFigure
from coursekit.viz.live.beam_tree import beam_tree
from coursekit.viz.live.bpe_merges import bpe_merges
from coursekit.viz.live.capacity import capacity
from coursekit.viz.live.clipped_step import clipped_step
from coursekit.viz.live.cost_per_token import cost_per_token
from coursekit.viz.live.denoising import denoising
from coursekit.viz.live.descent_paths import descent_paths
from coursekit.viz.live.export_plane import export_plane
from coursekit.viz.live.fairness_thresholds import fairness_thresholds
from coursekit.viz.live.gaussian_fit import gaussian_fit
from coursekit.viz.live.guidance import guidance
from coursekit.viz.live.latent_walk import latent_walk
from coursekit.viz.live.lstm_cell import lstm_cell
from coursekit.viz.live.many_answers import many_answers
from coursekit.viz.live.minmax_game import minmax_game
from coursekit.viz.live.model_roofline import model_roofline
from coursekit.viz.live.online_softmax import online_softmax
from coursekit.viz.live.over_optimised import over_optimised
from coursekit.viz.live.positions import positions
from coursekit.viz.live.regularisation_path import regularisation_path
from coursekit.viz.live.roofline import roofline
from coursekit.viz.live.sampling_knobs import sampling_knobs
from coursekit.viz.live.scaling_law import scaling_law
from coursekit.viz.live.signal_depth import signal_depth
from coursekit.viz.live.soft_lookup import soft_lookup
from coursekit.viz.live.softmax import softmax
from coursekit.viz.live.wafer_map import wafer_map

__all__ = [
    "LiveFigure",
    "agent_trace",
    "alignment",
    "attention_heads",
    "backprop_graph",
    "beam_tree",
    "bpe_merges",
    "capacity",
    "clipped_step",
    "cost_per_token",
    "denoising",
    "descent_paths",
    "export_plane",
    "fairness_thresholds",
    "gaussian_fit",
    "guidance",
    "latent_walk",
    "lstm_cell",
    "many_answers",
    "minmax_game",
    "model_roofline",
    "online_softmax",
    "over_optimised",
    "positions",
    "regularisation_path",
    "roofline",
    "sampling_knobs",
    "scaling_law",
    "signal_depth",
    "soft_lookup",
    "softmax",
    "wafer_map",
]
