"""Live figure: what an agent thought, which tool it called, and what came back, step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_RUNS, MOST_STEPS, LONGEST = 12, 12, 420
FIELDS = ("thought", "tool", "argument", "observation")


class AgentTrace(LiveFigure):
    """The figure that :func:`agent_trace` makes; its traits follow the controls."""

    _esm = module_source("agent_trace")
    name = "agent_trace"
    title = "An agent at work"
    run = traitlets.Int(0, min=0).tag(sync=True)
    step = traitlets.Int(1, min=1, max=MOST_STEPS).tag(sync=True)

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps of the chosen run up to the chosen one."""
        steps: list[dict[str, Any]] = self.data["runs"][self.run]["steps"]
        return steps[: self.step]

    def description(self) -> str:
        """Say what was asked, which tools were called, and what was answered."""
        run = self.data["runs"][self.run]
        called = ", ".join(f"{s['tool']}({s['argument']})" for s in run["steps"])
        return (
            f"{run['name']}. The question: {run['question']} The agent calls {called}. "
            f"It answers: {run['answer']}"
        )

    def still(self) -> Figure:
        """Draw which tool was called at which step."""
        figure, ax = plt.subplots()
        tools, steps = self.data["tools"], self.data["runs"][self.run]["steps"]
        y = [tools.index(s["tool"]) for s in steps]
        x = range(1, len(steps) + 1)
        ax.plot(x, y, color=style.RULE, lw=2, ls="-", zorder=1)
        for at, lane, s in zip(x, y, steps, strict=True):
            mark, colour = ("o", style.BLUE) if s["trusted"] else ("D", style.COPPER)
            ax.plot(at, lane, mark, color=colour, ms=9)
            ax.annotate(s["argument"][:28], (at, lane), (0, 10), textcoords="offset points")
        ax.set_yticks(range(len(tools)), tools)
        ax.set(xticks=list(x), xlabel="step", xlim=(0.6, len(steps) + 0.9))
        ax.set_ylim(len(tools) - 0.5, -0.7)
        return figure


def agent_trace(runs: Sequence[Mapping[str, Any]]) -> AgentTrace:
    """Step through what an agent did.

    What a reader can learn: an agent is a loop of a thought, a call of a tool and what it gives
    back; the answer is only as good as the pages found; and what a page says is data, which an
    agent that treats it as an order can be made to obey.

    Parameters
    ----------
    runs
        Each a mapping with ``name``, ``question``, ``answer``, and ``steps``: mappings with
        ``thought``, ``tool``, ``argument``, ``observation`` (text) and ``trusted``
        (False where the observation comes from a page that others wrote).

    Raises
    ------
    ValueError
        If there is no run or too many, a run has no step or too many, or a field is missing.
    """
    if not 1 <= len(runs) <= MOST_RUNS:
        raise ValueError(f"{len(runs)} runs; 1 to {MOST_RUNS} can be shown.")
    shown = [_one_run(run) for run in runs]
    tools = list(dict.fromkeys(step["tool"] for run in shown for step in run["steps"]))
    return AgentTrace(data={"runs": shown, "tools": tools})


def _one_run(run: Mapping[str, Any]) -> dict[str, Any]:
    missing = {"name", "question", "answer", "steps"} - set(run)
    if missing:
        raise ValueError(f"a run lacks {', '.join(sorted(missing))}.")
    if not 1 <= len(run["steps"]) <= MOST_STEPS:
        raise ValueError(f"{run['name']} has {len(run['steps'])} steps; 1 to {MOST_STEPS} wanted.")
    steps = []
    for step in run["steps"]:
        lacks = {*FIELDS, "trusted"} - set(step)
        if lacks:
            raise ValueError(f"a step of {run['name']} lacks {', '.join(sorted(lacks))}.")
        texts = {field: _short(str(step[field])) for field in FIELDS}
        steps.append({**texts, "trusted": bool(step["trusted"])})
    words = {key: _short(str(run[key])) for key in ("name", "question", "answer")}
    return {**words, "steps": steps}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
