"""Time the scoring of variants on one thread: SNVs per CPU second that is spent outside the network's forward pass.

Run from the repository's root: ``python -m benchmarks.bench_variants [variants]``. The genome and the SNVs are random.
The network is that of the study of JunD, order 3, in windows of 500 bp; each SNV is four of them, two alleles on two
strands. The forward pass is what the calls of ``predict_on_batch`` take, all else (reading the file, cutting and
encoding windows, batches, writing five files) is ours. The second line leaves the forward pass out, so that more SNVs
show what ours takes when the network is no reason to wait.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WANTED = 20_000  # SNVs per CPU second outside the forward pass
_WINDOW, _ORDER, _CONTIG = 500, 3, 4_000_000
_FILES = {"table": "a.tsv.gz", "scores": "a.h5", "vcf": "a.vcf.gz", "bed": "a.bed.gz", "counts": "counts.tsv"}


class TimedModel:
    """A Keras model that measures the CPU seconds of its own forward passes, or skips them.

    Parameters
    ----------
    model : keras.Model
    skip : bool
        Predict 0.5 at once.
    """

    def __init__(self, model: Any, *, skip: bool = False):
        self._model, self._skip, self.seconds = model, skip, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict_on_batch(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Predict a batch."""
        if self._skip:
            return np.full((len(batch["dna"]), 1), 0.5, dtype=np.float32)
        begun = time.process_time()
        predicted = self._model.predict_on_batch(batch)
        self.seconds += time.process_time() - begun
        return predicted


def write_snvs(path: Path, letters: str, number: int) -> None:
    """Write SNVs at random places, in their order, as a plain VCF."""
    places = np.sort(np.random.default_rng(2).choice(len(letters), number, replace=False)).tolist()
    others = dict(zip("ACGT", "CATG", strict=True))
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=chr1>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    lines += [
        f"chr1\t{place + 1}\tsnv_{place}\t{letters[place]}\t{others[letters[place]]}\t50\tPASS\tDP=30;AF=0.5"
        for place in places
    ]
    path.write_text("\n".join(lines) + "\n")


def measure(model: TimedModel, genome: Any, path: Path) -> float:
    """Score a file of SNVs; give the CPU seconds outside the forward pass."""
    from helpers.evaluation.variant_effects import EffectModel, SequenceInput
    from helpers.evaluation.variant_scoring import score_variants

    effects = EffectModel([model], {"dna": SequenceInput(_ORDER, _WINDOW)}, ["bound"])
    files = {name: path.parent / file for name, file in _FILES.items()}
    model.seconds, begun = 0.0, time.process_time()
    score_variants(effects, genome, path, files)
    return time.process_time() - begun - model.seconds


def main() -> None:
    """Time both lines, the best of three rounds each."""
    from helpers.backend import select_backend

    number = int(sys.argv[1]) if len(sys.argv) > 1 else 8_192
    print(select_backend("tensorflow", device="cpu", seed=1), flush=True)
    from helpers.data.storage import GenomeArray
    from helpers.model.architectures import OutputSpec, build_model
    from helpers.model.bodies import InputSpec

    codes = np.random.default_rng(1).integers(0, 4, _CONTIG, dtype=np.uint8)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[codes].tobytes().decode()
    inputs = {"dna": InputSpec((_WINDOW - _ORDER + 1,), "sequence", _ORDER)}
    network = build_model("jund_dna", inputs, OutputSpec("labels"), {})
    genome = GenomeArray.from_contigs({"chr1": codes})
    with tempfile.TemporaryDirectory() as folder:
        for title, skip, count in (("with the forward pass", False, number), ("without", True, 8 * number)):
            path, model = Path(folder) / "in.vcf", TimedModel(network, skip=skip)
            write_snvs(path, letters, count)
            measure(model, genome, path)  # compiles the network
            best = min(measure(model, genome, path) for _ in range(3))
            forward = f", {model.seconds / count * 1e6:.0f} µs in it" if not skip else ""
            print(
                f"{title}: {count / best:,.0f} SNVs per CPU second outside the forward pass (wanted: {WANTED:,}), "
                f"{best / count * 1e6:.1f} µs each{forward}",
                flush=True,
            )


if __name__ == "__main__":
    main()
