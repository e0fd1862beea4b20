"""How figures look: colours, names and sizes, the same for the same thing everywhere.

The colours are those of Okabe and Ito (strands: of Tol), which people with any colour vision tell apart. DNA is blue,
accessibility and chromatin vermillion, both together green, counting grey; what varies within a model has two shades of
its colour, so that a grey print keeps them apart. Classes of features differ in grey and in their markers too.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.files import atomic_path

SINGLE_COLUMN = 3.5  # inches, 89 mm
DOUBLE_COLUMN = 7.2  # inches, 183 mm
PNG_DPI = 200
SVG_DPI = 400  # of what is drawn as pixels within vectors: many points
SMALL = 7  # pt, the smallest type in any figure
NOTE_COLOR = "0.35"

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#666666", "#000000")

COLORS = {
    "model": {
        "dna": "#0072B2",
        "dnase": "#D55E00",
        "atac": "#D55E00",
        "chromatin": "#D55E00",
        "joint": "#009E73",
        "kmer": "#666666",
        "deepsea": "#E69F00",
        "danq": "#882255",
    },
    "class": {"Histone": "#5E3C99", "histone modifier": "#5E3C99", "DNase": "#D55E00", "TF": "#56B4E9"},
    "order": {"1": "#9ECAE1", "2": "#0072B2", "3": "#08306B"},
    "dropout": {"0": "#0072B2", "0.0": "#0072B2", "0.2": "#8CCBF2"},
    "normalize": {"none": "#666666", "tpm": "#F2AF84", "zscorelog": "#D55E00"},
    "augment": {"none": "#F2AF84", "flip": "#D55E00"},
    "strand": {"+": "#332288", "-": "#AA4499"},
    "strands": {"both": "#0072B2", "forward": "#8CCBF2"},
    "window": {"500": "#9ECAE1", "1000": "#0072B2", "2000": "#08306B"},
    "base": {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"},
}
HEAT_COLORS = {"counts": "Blues", "signed": "RdBu_r"}  # colour maps of matplotlib
MARKERS = {"Histone": "s", "histone modifier": "D", "DNase": "^", "TF": "o"}

KEY_NAMES = {
    "order": "order (k-mer length)",
    "dropout": "dropout on the input",
    "normalize": "normalization",
    "augment": "augmentation",
    "model": "model",
    "k": "k-mer length",
    "window": "context window",
    "strands": "strands scanned",
}
VALUE_NAMES = {
    "model": {
        "dna": "DNA",
        "dnase": "DNase",
        "atac": "ATAC",
        "kmer": "k-mer counts",
        "deepsea": "DeepSEA",
        "danq": "DanQ",
    },
    "normalize": {"tpm": "TPM", "zscorelog": "z-score of\nlog(count + 1)"},
    "augment": {"flip": "orientation flip"},
    "strands": {"both": "both strands", "forward": "forward strand"},
    "class": {
        "Histone": "histone marks",
        "histone modifier": "histone modifiers",
        "DNase": "accessible sites (DNase)",
        "TF": "transcription factors",
        "": "features",
    },
}
UNITS = {"window": "bp"}
PHRASES = {"normalize": {"none": "not normalized"}, "augment": {"none": "not augmented"}}  # where no key stands before
_SPEAKING = ("model", "strands", "normalize", "augment")  # keys whose values say by themselves what they are
NOT_APPLICABLE = "\N{EN DASH}"  # a grid key that a model does not have
METRIC_NAMES = {
    "auprc": "auPRC",
    "auroc": "auROC",
    "pearson_r": "Pearson r",
    "mae": "mean absolute error",
    "mse": "mean squared error",
}
LOSS_NAMES = {
    "binary_crossentropy": "binary cross-entropy",
    "mae": "mean absolute error",
    "mean_absolute_error": "mean absolute error",
    "mse": "mean squared error",
    "mean_squared_error": "mean squared error",
}

STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same everywhere
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": SMALL + 0.5,
    "ytick.labelsize": SMALL + 0.5,
    "legend.fontsize": SMALL + 0.5,
    "legend.title_fontsize": SMALL + 0.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.2,
    "figure.facecolor": "white",
    "text.parse_math": False,  # a $ in a name or a note is a $
    "svg.fonttype": "path",
    "svg.hashsalt": "helpers",
}


def colors_of(key: str, values: Iterable[str]) -> dict[str, str]:
    """Give each value of a key its colour: the fixed one if it has one, else the next that is free.

    Examples
    --------
    >>> colors_of("model", ["dna", "mine"])
    {'dna': '#0072B2', 'mine': '#E69F00'}
    """
    values = list(dict.fromkeys(map(str, values)))
    known = {value: COLORS[key][value] for value in values if value in COLORS.get(key, {})}
    free = [color for color in PALETTE if color not in known.values()] or list(PALETTE)
    others = [value for value in values if value not in known]
    chosen = known | {value: free[number % len(free)] for number, value in enumerate(others)}
    return {value: chosen[value] for value in values}


def key_name(key: str) -> str:
    """Give the name of a grid key as it stands at an axis or over a legend."""
    return KEY_NAMES.get(key, key.replace("_", " "))


def value_name(key: str, value: object) -> str:
    """Give the name of a value of a grid key, with its unit, as it stands at an axis or in a legend.

    Examples
    --------
    >>> value_name("window", 500), value_name("model", "danq"), value_name("order", "")
    ('500 bp', 'DanQ', '–')
    """
    text = str(value)
    if text in VALUE_NAMES.get(key, {}):
        return VALUE_NAMES[key][text]
    return f"{text} {UNITS[key]}" if key in UNITS and text else text or NOT_APPLICABLE


def phrase(key: str, value: object) -> str:
    """Say a value of a grid key in words that stand alone, in a line of text.

    Examples
    --------
    >>> phrase("order", 3), phrase("window", 500), phrase("strands", "both"), phrase("augment", "none")
    ('order 3', '500 bp window', 'both strands', 'not augmented')
    """
    name = PHRASES.get(key, {}).get(str(value), value_name(key, value)).replace("\n", " ")
    return name if key in _SPEAKING else f"{name} window" if key == "window" else f"{key} {name}"


def variant_label(variant: str) -> str:
    r"""Say the name of a variant in words; a line can be broken between keys, not within (no-break spaces).

    Examples
    --------
    >>> variant_label("order~3_window~500")
    'order\xa03, 500\xa0bp\xa0window'
    >>> variant_label("default")
    ''
    """
    parts = re.findall(r"([^~]+)~([^~]*?)(?:_(?=[^~]+~)|$)", variant)
    return ", ".join(phrase(key, value).replace(" ", "\N{NO-BREAK SPACE}") for key, value in parts)


def styled_figure(width: float, height: float) -> Figure:
    """Make an empty figure of so many inches that keeps its parts from overlapping; call it within `in_style`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def in_style():
    """Return a context in which all figures are drawn and saved."""
    return rc_context(STYLE)


def save_figure(figure: Figure, stem: str | os.PathLike) -> tuple[Path, Path]:
    """Save a figure as vectors and as an image: ``stem.svg`` and ``stem.png`` (200 dots per inch).

    The files appear when they are complete; the same figure gives the same bytes (no date, fixed ids).

    Returns
    -------
    svg, png : pathlib.Path
    """
    svg, png = (Path(f"{os.fspath(stem)}.{extension}") for extension in ("svg", "png"))
    with in_style(), atomic_path(svg) as temporary_svg, atomic_path(png) as temporary_png:
        figure.savefig(temporary_svg, format="svg", dpi=SVG_DPI, metadata={"Date": None})
        figure.savefig(temporary_png, format="png", dpi=PNG_DPI)
    return svg, png
