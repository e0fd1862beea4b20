"""Motifs: MEME minimal files read as written, scores against the background, and a network of them."""

import gzip
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from helpers.data.motifs import Motif, read_motifs, write_motifs
from helpers.data.sequence import kmer_codes
from helpers.errors import InputError
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.linear import fit_linear
from helpers.model.training import load_model, predict, save_model

TWO = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies (from uniform background):
A 0.3 C 0.2 G 0.2 T 0.3

MOTIF MA0491.2 JUND
letter-probability matrix: alength= 4 w= 3 nsites= 12 E= 4.1e-009
 0.000000  0.250000 0.5 0.25
1 0 0 0
0.333 0.333 0.333 0
URL http://jaspar.genereg.net/matrix/MA0491.2

MOTIF plain
letter-probability matrix:
 0.1 0.2 0.3 0.4
"""


def written(tmp_path, text=TWO):
    path = tmp_path / "motifs.meme"
    path.write_text(text)
    return str(path)


def test_motifs_are_read_with_names_sites_and_background(tmp_path):
    first, second = read_motifs(written(tmp_path))
    assert (first.name, first.alternate_name, first.n_sites) == ("MA0491.2", "JUND", 12)
    assert (second.name, second.alternate_name, second.n_sites) == ("plain", "", 20)
    np.testing.assert_allclose(first.probabilities, [[0, 0.25, 0.5, 0.25], [1, 0, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0]])
    np.testing.assert_allclose(second.probabilities, [[0.1, 0.2, 0.3, 0.4]])
    for motif in (first, second):
        np.testing.assert_allclose(motif.background, [0.3, 0.2, 0.2, 0.3])
        assert motif.probabilities.dtype == np.float64


def test_what_may_be_missing_and_what_is_left_out(tmp_path):
    """The output of MEME itself: stars, log odds beside the probabilities, no background, the rows to the end."""
    text = """********
MEME - Motif discovery tool
MEME version 5.5.5 (Release date: now)
Background letter frequencies (from file):
A 0.25 C 0.25
G 0.25 T 0.25
********
MOTIF TGACTCA MEME-1\twidth =  2  sites =  17
log-odds matrix: alength= 4 w= 2 n= 100 bayes= 6
  100  -20 -30 -40
  -10  100 -30 -40
--------
letter-probability matrix: alength= 4 w= 2 nsites= 17.5 E= 1e-5
 1.0 0.0 0 0
 0 1e+0 0 0
--------
Time 1.2 secs."""
    (motif,) = read_motifs(written(tmp_path, text))
    assert (motif.name, motif.alternate_name, motif.n_sites) == ("TGACTCA", "MEME-1", 17.5)
    assert motif.probabilities.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    bare = "MEME version 4\nMOTIF a\nletter-probability matrix: w= 1\n0.1 0.2 0.3 0.4"
    (motif,) = read_motifs(written(tmp_path, bare))
    assert motif.background.tolist() == [0.25] * 4
    windows_text = tmp_path / "motifs.meme.gz"
    windows_text.write_bytes(gzip.compress(TWO.replace("\n", "\r\n").encode()))
    assert [motif.name for motif in read_motifs(windows_text)] == ["MA0491.2", "plain"]


def test_log_odds_are_those_of_a_slow_loop(tmp_path):
    for motif in read_motifs(written(tmp_path)):
        for pseudocount in (0.1, 2.0):
            scores = motif.log_odds(pseudocount)
            for position, row in enumerate(motif.probabilities):
                for letter, (probability, expected) in enumerate(zip(row, (0.3, 0.2, 0.2, 0.3), strict=True)):
                    counted = motif.n_sites * probability + pseudocount * expected
                    score = math.log2(counted / (motif.n_sites + pseudocount) / expected)
                    assert scores[position, letter] == pytest.approx(score)
    first = read_motifs(written(tmp_path))[0]
    assert first.log_odds(1e-9)[1, 1] < -30
    with pytest.raises(InputError, match="pseudocount=0"):
        first.log_odds(0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), min_size=1), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, counts):
    matrices = [np.array(rows) / np.sum(rows, axis=1, keepdims=True) for rows in counts]
    parts = ["MEME version 4\nALPHABET= ACGT\n"]
    for number, matrix in enumerate(matrices):
        rows = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in matrix)
        head = f"letter-probability matrix: alength= 4 w= {len(matrix)} nsites= {number + 1}"
        parts.append(f"MOTIF m{number}\n{head}\n{rows}\n")
    path = tmp_path_factory.mktemp("motifs") / "motifs.meme"
    path.write_text("\n".join(parts))
    motifs = read_motifs(path)
    assert [motif.name for motif in motifs] == [f"m{number}" for number in range(len(matrices))]
    assert [motif.n_sites for motif in motifs] == list(range(1, len(matrices) + 1))
    for motif, matrix in zip(motifs, matrices, strict=True):
        np.testing.assert_allclose(motif.probabilities, matrix, atol=2e-6)
        np.testing.assert_allclose(motif.probabilities.sum(axis=1), 1)
        assert np.isfinite(motif.log_odds()).all()


def motif_of(counts, name="a", background=(0.25,) * 4, n_sites=20):
    rows = np.array(counts, dtype=float)
    return Motif(name, "", rows / rows.sum(axis=1, keepdims=True), n_sites, np.array(background))


_COUNTS = st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), min_size=1, max_size=9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_COUNTS, st.integers(1, 2_000_000)), min_size=1, max_size=4), st.integers(1, 9))
def test_motifs_are_written_and_read_back(tmp_path_factory, drawn, weight):
    background = np.array([weight, 3, 3, weight]) / (2 * weight + 6)
    motifs = [motif_of(counts, f"m{n}", background, sites) for n, (counts, sites) in enumerate(drawn)]
    path = tmp_path_factory.mktemp("written") / "motifs.meme"
    write_motifs(path, motifs)
    for motif, again in zip(motifs, read_motifs(path), strict=True):
        assert (again.name, again.alternate_name, again.n_sites) == (motif.name, "", motif.n_sites)
        np.testing.assert_allclose(again.probabilities, motif.probabilities, atol=2e-6)
        np.testing.assert_allclose(again.background, background, atol=2e-6)


def test_written_files_keep_second_names_and_can_be_empty(tmp_path):
    first = read_motifs(written(tmp_path))
    write_motifs(tmp_path / "again.meme", first)
    assert [motif.alternate_name for motif in read_motifs(tmp_path / "again.meme")] == ["JUND", ""]
    write_motifs(tmp_path / "none.meme", [])
    with pytest.raises(InputError, match=r"none.meme: there is no motif"):
        read_motifs(tmp_path / "none.meme")


@pytest.mark.parametrize(
    ("motifs", "message"),
    [
        ([motif_of([[1, 1, 1, 1]], "a b")], "one word. Received: 'a b'"),
        ([motif_of([[1, 1, 1, 1]], "")], "one word. Received: ''"),
        ([motif_of([[1, 1, 1, 1]])] * 2, "there are 2 motifs a. Rename"),
        ([motif_of([[1, 1, 1, 1]]), motif_of([[1, 1, 1, 1]], "b", (0.3, 0.2, 0.2, 0.3))], "a and b have different"),
    ],
)
def test_motifs_that_no_file_can_hold_are_named(tmp_path, motifs, message):
    with pytest.raises(InputError, match=f"motifs.meme: .*{message}"):
        write_motifs(tmp_path / "motifs.meme", motifs)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=50, deadline=None)
@given(_COUNTS)
def test_information_is_two_bits_less_the_entropy(counts):
    motif = motif_of(counts)
    for row, bits in zip(motif.probabilities, motif.information(), strict=True):
        assert bits == pytest.approx(2 - entropy(row, base=2), abs=1e-9)


@pytest.mark.parametrize(
    ("row", "letter"),
    [
        ([0, 0, 0, 1], "T"),
        ([0.51, 0.25, 0.24, 0], "A"),
        ([0.49, 0.21, 0.2, 0.1], "N"),  # not above a half
        ([0.55, 0.3, 0.1, 0.05], "M"),  # not twice the next
        ([0.4, 0.1, 0.4, 0.1], "R"),
        ([0.1, 0.45, 0.05, 0.4], "Y"),
        ([0, 0.5, 0.5, 0], "S"),
        ([0.5, 0, 0, 0.5], "W"),
        ([0, 0, 0.4, 0.6], "K"),
        ([0.375, 0.375, 0.125, 0.125], "N"),  # together not above three quarters
        ([0.25, 0.25, 0.25, 0.25], "N"),
    ],
)
def test_the_consensus_has_the_letters_of_iupac(row, letter):
    assert motif_of([row, [0, 1, 0, 0]]).consensus() == f"{letter}C"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MEME version 4", "version 4", "no line 'MEME version'.*MEME minimal"),
        ("MOTIF", "motif", "there is no motif, no line that begins with MOTIF"),
        ("= ACGT", "= ACGU", "line 3: the alphabet is not that of DNA. Received: 'ALPHABET= ACGU'"),
        ("ALPHABET= ACGT", 'ALPHABET "DNA" DNA-LIKE', "line 3: the alphabet is not that of DNA"),
        ("C 0.2 ", "", "line 7: the background is not read: A 0.3 G 0.2 T 0.3. Received"),
        ("A 0.3 C 0.2 G 0.2 T 0.3", "A 0 C 0.4 G 0.3 T 0.3", "line 7.*above 0, with the sum 1"),
        ("A 0.3 C 0.2 G 0.2 T 0.3", "A x C 0.4 G 0.3 T 0.3", "line 7: the background is not read: A x"),
        ("w= 3", "w= 4", "line 11: 3 rows follow. Received: 'letter-probability matrix.*Correct w=, or the rows"),
        ("w= 3", "w= 0", "line 11: w= is not above 0"),
        ("nsites= 12", "nsites= 0", "line 11: nsites= is not above 0.*leave it out"),
        ("nsites= 12", "nsites= many", "line 11: nsites= is not above 0"),
        ("1 0 0 0", "1 0 0", "line 13: a row is four probabilities with the sum 1. Received: '1 0 0'"),
        ("1 0 0 0", "1 1 0 0", "line 13: a row is four"),
        ("1 0 0 0", "1.5 -0.5 0 0", "line 13: a row is four"),
        ("1 0 0 0", "x 0 0 0", "line 13: a row is four"),
        ("1 0 0 0", "nan 0 0 1", "line 13: a row is four"),
        (" 0.1 0.2 0.3 0.4", "", "line 18: 0 rows follow"),
        ("MOTIF plain", "MOTIF", "line 17: a motif has a name and one letter-probability matrix; here are 1"),
        ("letter-probability matrix:\n", "", "line 17: .*one letter-probability matrix; here are 0"),
        ("MOTIF plain\n", "", "line 10: .*here are 2"),
        ("MOTIF plain", "MOTIF MA0491.2", "line 17: a second motif MA0491.2.*Rename or remove"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, old, new, message):
    assert old in TWO
    with pytest.raises(InputError, match=f"motifs.meme[:,] ?.*{message}"):
        read_motifs(written(tmp_path, TWO.replace(old, new)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.meme: cannot read the file"):
        read_motifs(tmp_path / "gone.meme")


PLANTED = """MEME version 4
MOTIF jund
letter-probability matrix: w= 7 nsites= 100
0 0 0 1
0 0 1 0
1 0 0 0
0 .5 .5 0
0 0 0 1
0 1 0 0
1 0 0 0
MOTIF other
letter-probability matrix: w= 4
.5 .5 0 0
.5 .5 0 0
.5 .5 0 0
.5 .5 0 0
"""


def windows_with_motif(windows=200, seed=0):
    """Codes of order 1, a third of the windows with TGAGTCA on either strand, and labels."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (windows, 80)).astype(np.uint8)
    labels = np.arange(windows) % 3 == 0
    site = np.array([3, 2, 0, 2, 3, 1, 0], dtype=np.uint8)
    for row in np.flatnonzero(labels):
        start = rng.integers(0, 74)
        letters[row, start : start + 7] = site if rng.random() < 0.5 else 3 - site[::-1]
    return kmer_codes(letters, 1), labels.astype(int)


def test_a_scan_with_the_right_motif_tells_the_windows_apart_and_is_saved_without_the_file(tmp_path):
    path = tmp_path / "planted.meme"
    path.write_text(PLANTED)
    (codes, labels), (held_out, held_out_labels) = windows_with_motif(), windows_with_motif(seed=1)
    model = build_model("pwm_scan", {"dna": InputSpec((80,), "sequence")}, OutputSpec("bound"), {"motifs": str(path)})
    training = JangguSequence({"dna": codes}, {"bound": labels}, shuffle=True)
    validation = JangguSequence({"dna": held_out}, {"bound": held_out_labels})
    fit_linear(model, training, validation, loss="binary_crossentropy")
    predicted = predict(model, validation)
    assert ((predicted[:, 0] > 0.5) == held_out_labels).mean() > 0.97
    assert len(model.trainable_weights) == 2, "of the output alone"
    save_model(model, tmp_path / "model.keras")
    path.unlink()
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(loaded, validation), predicted)
    assert loaded.get_layer("top_pwm_scan").names == ["jund", "other"]


@pytest.mark.parametrize(
    ("spec", "params", "message"),
    [
        (InputSpec((80,), "sequence"), {}, "pwm_scan: motifs is missing; needed: the path of a file of motifs"),
        (InputSpec((80,), "sequence"), {"motifs": 3}, "motifs: 3 is not the path of a file of motifs"),
        (InputSpec((80,), "sequence"), {"motifs": "gone.meme"}, "gone.meme: cannot read the file"),
        (InputSpec((79,), "sequence", 2), {"motifs": "x"}, "the order of the input is 2; only 1 is allowed"),
        (InputSpec((6,), "sequence"), None, "motif jund is 7 bp long, the window 6 bp"),
    ],
)
def test_mistakes_of_a_scan_are_named(tmp_path, spec, params, message):
    path = tmp_path / "planted.meme"
    path.write_text(PLANTED)
    with pytest.raises(InputError, match=message):
        build_model("pwm_scan", {"dna": spec}, OutputSpec("bound"), {"motifs": str(path)} if params is None else params)
