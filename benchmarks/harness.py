"""Measure a piece of work in a process of its own: CPU seconds, peak memory, and both beside what limits it.

A `Row` says what is measured and what is wanted of it; its `prepare` makes a `Work` in the fresh process. CPU seconds
are those of all threads and children. The best of several rounds counts, as other programs only ever slow a round down;
work, limits and peers take turns, so that they see the same machine. Peak memory is what the first call needs above
what the process held before.
"""

import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROUNDS = 5
_LONG = 3.0  # CPU seconds; what takes longer is run once
_TITLES = ("what", "measured", "wanted", "ok", "spread", "limit", "peers")
_LINE = "{:46s} {:>23s}  {:12s}  {:3s}  {:>6s}  {:40s}  {}"


class Wanted(NamedTuple):
    """A figure and its bound.

    Attributes
    ----------
    kind : {'rate', 'seconds', 'peak', 'size', 'slowest'}
        Amount per CPU second, CPU seconds, bytes needed at most, bytes of the result, or how many times longer the
        slowest of the peers takes than the fastest of all.
    unit : str
        What is printed behind the number.
    least, most : float, optional
        The bound; neither is a figure that nothing is asked of.
    per : float
        By which the number is divided to be in `unit`.
    """

    kind: str
    unit: str
    least: float | None = None
    most: float | None = None
    per: float = 1.0

    def value(self, seconds: float, amount: float) -> float:
        """Give a rate or CPU seconds in the unit."""
        return (amount / seconds if self.kind == "rate" else seconds) / self.per

    def bound(self) -> str:
        """Write the bound."""
        if self.least is None and self.most is None:
            return ""
        return f"at least {self.least:g}" if self.most is None else f"at most {self.most:g}"

    def verdict(self, value: float) -> str:
        """Say whether a value is as wanted."""
        if self.least is None and self.most is None:
            return ""
        return (
            "yes" if (self.least is None or value >= self.least) and (self.most is None or value <= self.most) else "NO"
        )


class Peer(NamedTuple):
    """Another way to do the same, perhaps for a smaller amount: what takes its time is not done in full."""

    call: Callable[[], object]
    amount: float


@dataclass
class Work:
    """What is measured, ready to be called again and again.

    Attributes
    ----------
    call : callable
    amount : float
        What a call treats: bases, reads, windows.
    limits : mapping of str to callable
        What no program can do without, for the same amount: a copy of the result, decompressing the file.
    peers : mapping of str to Peer
    size : callable, optional
        Gives the bytes of the result.
    """

    call: Callable[[], object]
    amount: float
    limits: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    peers: Mapping[str, Peer] = field(default_factory=dict)
    size: Callable[[], float] | None = None


class Row(NamedTuple):
    """One line of the table, or several when it has several figures.

    Attributes
    ----------
    name : str
    prepare : callable
        Makes the work in the process that measures it, from the folder of generated files; a function of a module, or
        a partial of one.
    wanted : sequence of Wanted
    needs : sequence of str
        Generated files.
    why : str
        Said when a figure is missed.
    """

    name: str
    prepare: Callable[[Path], Work]
    wanted: tuple[Wanted, ...]
    needs: tuple[str, ...] = ()
    why: str = ""


class Measured(NamedTuple):
    """What the process of a row found."""

    amount: float
    seconds: dict[str, list[float]]
    amounts: dict[str, float]
    limits: list[str]
    peak: float
    size: float


def cpu_seconds() -> float:
    """Give the CPU seconds of this process, its threads and its finished children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(work: Work, rounds: int = ROUNDS) -> Measured:
    """Run work, limits and peers in turn."""
    calls = {"": work.call, **work.limits, **{name: peer.call for name, peer in work.peers.items()}}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    peak = 0.0
    for number in range(1 + rounds):
        for name, call in calls.items():
            if number and seconds[name][0] > _LONG:
                continue
            if not number and not name:
                spent, peak = _timed_peak(call)
            else:
                spent = _timed(call)
            seconds[name].append(spent)
    seconds = {name: found[1:] or found for name, found in seconds.items()}  # the first round warms up
    amounts = {name: work.peers[name].amount if name in work.peers else work.amount for name in calls}
    size = float("nan") if work.size is None else work.size()
    return Measured(work.amount, seconds, amounts, list(work.limits), peak, size)


def _timed(call: Callable[[], object]) -> float:
    begun = cpu_seconds()
    call()
    return max(cpu_seconds() - begun, 1e-9)


def _timed_peak(call: Callable[[], object]) -> tuple[float, float]:
    """Time a call, and give the bytes that it needed at most above what the process held before."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def held(name: str) -> int:
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name))

    if not reset.exists():  # not Linux: the most that the process ever held
        unit = 1 if platform.system() == "Darwin" else 1024
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = _timed(call)
        return spent, unit * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    reset.write_text("5")
    before = held("VmRSS")
    spent = _timed(call)
    return spent, held("VmHWM") - before


def run_alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own and give its result; SystemExit when it fails."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        result = receiver.recv()
    except EOFError:
        process.join()
        raise SystemExit(process.exitcode or 1) from None
    process.join()
    return result


def _send_result(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sender.send(function(*arguments))


def _measure_row(row: Row, folder: Path, rounds: int) -> Measured:
    return measure(row.prepare(folder), rounds)


def print_table(
    rows: Iterable[Row], folder: Path, make: Callable[[str], None], *, rounds: int = ROUNDS, judge: bool = True
) -> int:
    """Measure rows and print them.

    Parameters
    ----------
    rows : iterable of Row
    folder : pathlib.Path
        Where generated files are.
    make : callable
        Makes a generated file, by name, unless it is there.
    rounds : int
        Rounds after the one that warms up.
    judge : bool
        Say whether figures are as wanted; they are about the full amount of data.

    Returns
    -------
    int
        Number of figures that are not as wanted.
    """
    print(_LINE.format(*_TITLES).rstrip(), flush=True)
    missed = []
    for row in rows:
        for name in row.needs:
            make(name)
        found = run_alone(_measure_row, row, folder, rounds)
        for line, ok in _lines_of(row, found, judge):
            print(line, flush=True)
            missed += [row] * (ok == "NO")
    for row in dict.fromkeys(missed):
        print(f"NO, {row.name}: {row.why or 'for no known reason'}.")
    return len(missed)


def _lines_of(row: Row, found: Measured, judge: bool) -> Iterable[tuple[str, str]]:
    main = row.wanted[0]
    for number, wanted in enumerate(row.wanted):
        value = _value(wanted, found)
        ok = wanted.verdict(value) if judge else ""
        cells = [
            f"  {wanted.kind}" if number else row.name,
            f"{_text(value)} {wanted.unit}",
            wanted.bound(),
            ok,
            "",
            "",
            "",
        ]
        if not number:
            cells[4:] = [_spread(found.seconds[""]), *_others(main, found)]
        yield _LINE.format(*cells).rstrip(), ok


def _value(wanted: Wanted, found: Measured) -> float:
    if wanted.kind == "peak":
        return found.peak / wanted.per
    if wanted.kind == "size":
        return found.size / wanted.per
    if wanted.kind == "slowest":
        each = {
            name: min(found.seconds[name]) / found.amounts[name] for name in found.seconds if name not in found.limits
        }
        return max(each.values()) / min(each.values())
    return wanted.value(min(found.seconds[""]), found.amount)


def _text(value: float) -> str:
    """Write a number with three digits that count, without an exponent."""
    if value != value:
        return "unknown"
    return f"{float(f'{value:.3g}'):,.10g}" if abs(value) >= 0.001 else f"{value:.1g}"


def _spread(seconds: list[float]) -> str:
    """Say how far the median lies above the best."""
    return "once" if len(seconds) == 1 else f"+{median(seconds) / min(seconds) - 1:.0%}"


def _others(main: Wanted, found: Measured) -> tuple[str, str]:
    """Write the figures of limits and of peers, in the unit of the row."""
    unit = main if main.kind in ("rate", "seconds") else Wanted("rate", "", per=1e3)
    texts: tuple[list[str], list[str]] = ([], [])
    for name, seconds in found.seconds.items():
        if name:
            scaled = min(seconds) * found.amount / found.amounts[name]
            texts[name not in found.limits].append(f"{name} {_text(unit.value(scaled, found.amount))}")
    return ", ".join(texts[0]), ", ".join(texts[1])


def machine() -> str:
    """Describe the machine and the versions that matter."""
    from importlib.metadata import PackageNotFoundError, version

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "pysam", "isal", "pyBigWig", "pybigtools", "genvarloader"):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"no {name}")
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, load {load:.1f}; {', '.join(versions)}"
    )
