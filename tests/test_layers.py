"""Layers: against slow NumPy versions, on both strands, saved and trained on."""

from collections import Counter
from itertools import product

import keras
import numpy as np
import pytest

from helpers.data.sequence import kmer_codes, one_hot, reverse_complement_codes
from helpers.model.feature_layers import KmerCounts, MotifScores, canonical_kmers
from helpers.model.layers import Complement, DnaConv2D, LocalAveragePooling2D, OneHotCodes, Reverse

ORDERS = (1, 2, 3)
as_numpy = keras.ops.convert_to_numpy  # from the device, on any backend


def all_numpy(tensors):
    return np.stack([as_numpy(tensor) for tensor in keras.tree.flatten(tensors)])


def random_codes(order, *, windows=3, bases=33, seed=0):
    """K-mer codes of random windows, some bases unknown."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(5, (windows, bases), p=[0.24, 0.24, 0.24, 0.24, 0.04]).astype(np.uint8)
    return kmer_codes(letters, order)


def random_hot(order, **settings):
    return one_hot(random_codes(order, **settings), order).astype(np.float32)


def other_strand(hot):
    order = round(np.log2(hot.shape[-1]) / 2)
    codes = np.where(hot.any(axis=-1), hot.argmax(axis=-1), 4**order)[:, :, 0]
    return one_hot(reverse_complement_codes(codes.astype(np.uint16), order), order).astype(np.float32)


def conv(filters=4, width=5, activation="relu", **settings):
    initializers = {"kernel_initializer": keras.initializers.RandomNormal(seed=1), "bias_initializer": "random_normal"}
    return keras.layers.Conv2D(filters, (width, 1), activation=activation, **initializers, **settings)


def numpy_scan(x, layer, *, reverse):
    """Activations of one strand: K'[i, :, j] = K[w - 1 - i, :, rc(j)] at each place where the window fits."""
    kernel = as_numpy(layer.kernel)[:, 0]
    order = round(np.log2(x.shape[-1]) / 2)
    if reverse:
        letters = list(product(range(4), repeat=order))
        partner = [letters.index(tuple(3 - letter for letter in kmer[::-1])) for kmer in letters]
        kernel = kernel[::-1][:, partner]
    width, dilation, stride = len(kernel), layer.dilation_rate[0], layer.strides[0]
    reach = (width - 1) * dilation + 1
    if layer.padding == "same":
        total = max((-(-x.shape[1] // stride) - 1) * stride + reach - x.shape[1], 0)
        x = np.pad(x, ((0, 0), (total // 2, total - total // 2), (0, 0), (0, 0)))
    starts = range(0, x.shape[1] - reach + 1, stride)
    sums = [
        sum(x[:, start + i * dilation, 0].astype(float) @ kernel[i].astype(float) for i in range(width))
        for start in starts
    ]
    sums = np.stack(sums, axis=1)[:, :, None] + (as_numpy(layer.bias) if layer.use_bias else 0)
    return as_numpy(layer.activation(sums.astype(np.float32)))


MERGES = {
    "max": lambda forward, backward: np.maximum(forward, backward),
    "ave": lambda forward, backward: (forward + backward) / 2,
    "concat": lambda forward, backward: np.concatenate([forward, backward], axis=-1),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("merge_mode", MERGES)
def test_both_strands_are_scanned_as_defined(order, merge_mode):
    x, layer = random_hot(order), conv()
    result = as_numpy(DnaConv2D(layer, merge_mode)(x))
    expected = MERGES[merge_mode](*(numpy_scan(x, layer, reverse=reverse) for reverse in (False, True)))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=1e-6)


SETTINGS = {
    "same": {"padding": "same"},
    "dilated": {"dilation_rate": (2, 1)},
    "strided": {"strides": (2, 1)},
    "strided, same": {"strides": (2, 1), "padding": "same"},
    "without bias": {"use_bias": False},
    "linear": {"activation": None},
    "not increasing": {"activation": "silu"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("merge_mode", ["max", "ave"])
def test_settings_of_the_convolution_hold_on_both_strands(settings, merge_mode):
    x, layer = random_hot(2, bases=32), conv(**settings)
    scan = DnaConv2D(layer, merge_mode)
    result = as_numpy(scan(x))
    expected = MERGES[merge_mode](*(numpy_scan(x, layer, reverse=reverse) for reverse in (False, True)))
    np.testing.assert_allclose(result, expected, atol=1e-6)
    np.testing.assert_allclose(as_numpy(scan(other_strand(x))), result[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_the_other_strand_gives_the_reversed_output(order):
    x, layer = random_hot(order, bases=28 + order), conv()
    for merge_mode, pool_size in (("max", 1), ("ave", 1), ("max", 5)):  # 25 windows of width 5
        scan = DnaConv2D(layer, merge_mode, pool_size=pool_size)
        turned = as_numpy(scan(other_strand(x)))[:, ::-1]
        case = f"{merge_mode}, pooled over {pool_size}"
        np.testing.assert_allclose(turned, as_numpy(scan(x)), atol=1e-6, err_msg=case)
    concat = DnaConv2D(layer, "concat")
    swapped = np.concatenate(np.split(as_numpy(concat(other_strand(x))), 2, axis=-1)[::-1], axis=-1)
    np.testing.assert_allclose(swapped[:, ::-1], as_numpy(concat(x)), atol=1e-6)


def test_without_merging_the_strands_come_as_a_list():
    x, layer = random_hot(1), conv()
    forward, backward = DnaConv2D(layer, None)(x)
    strands = np.concatenate([as_numpy(forward), as_numpy(backward)], axis=-1)
    np.testing.assert_array_equal(strands, as_numpy(DnaConv2D(layer, "concat")(x)))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "silu"])
@pytest.mark.parametrize("merge_mode", ["max", "ave", "concat"])
def test_pooling_within_is_pooling_after(merge_mode, activation):
    x, layer = random_hot(2), conv(activation=activation)
    after = keras.layers.MaxPooling2D((4, 1))(DnaConv2D(layer, merge_mode)(x))
    within = DnaConv2D(layer, merge_mode, pool_size=4)(x)
    np.testing.assert_allclose(as_numpy(within), as_numpy(after), atol=1e-6)


def test_reverse_complement_of_a_one_hot_is_reverse_and_complement():
    for order in ORDERS:
        hot = random_hot(order)
        np.testing.assert_array_equal(as_numpy(Reverse()(Complement()(hot))), other_strand(hot))
        np.testing.assert_array_equal(as_numpy(Complement()(Complement()(hot))), hot)
    order_two = as_numpy(Complement()(np.eye(16, dtype=np.float32)[:, None, None]))[:, 0, 0].argmax(axis=1)
    assert order_two[:6].tolist() == [15, 11, 7, 3, 14, 10]  # AA -> TT, AC -> GT, ..., CA -> TG


def test_the_gradient_comes_through_the_strand_that_matched():
    """A window that holds the motif on the other strand: its gradient is the motif, not the reverse complement."""
    motif = np.array([[0, 2, 2, 1, 3]])  # AGGCT
    planted = one_hot(reverse_complement_codes(np.array([[1, 1, *motif[0], 1, 1]], dtype=np.uint8), 1), 1)
    layer = keras.layers.Conv2D(1, (5, 1), use_bias=False)
    model = keras.Sequential([DnaConv2D(layer), keras.layers.GlobalMaxPooling2D()])
    model.build((None, 9, 1, 4))
    kernel = one_hot(motif.astype(np.uint8), 1)[0, :, :, :, None].astype(np.float32)
    layer.set_weights([kernel])
    model.compile(keras.optimizers.SGD(0.1), loss=lambda target, score: score)
    model.train_on_batch(planted.astype(np.float32), np.zeros((1, 1), dtype=np.float32))
    np.testing.assert_allclose(layer.get_weights()[0], 0.9 * kernel, atol=1e-6)


def test_a_saved_model_predicts_and_trains_on_as_the_one_in_memory(tmp_path):
    keras.utils.set_random_seed(1)
    x, y = random_codes(2, windows=16), np.arange(16) % 2
    model = keras.Sequential([keras.Input((32,), dtype="uint8"), OneHotCodes(2), DnaConv2D(conv()), Reverse()])
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[1], DnaConv2D)
    np.testing.assert_array_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))
    for copy in (model, loaded):
        copy.train_on_batch(x, y)
    np.testing.assert_allclose(loaded.predict_on_batch(x), model.predict_on_batch(x), atol=1e-6)
    assert len(loaded.layers[1].get_weights()) == 2


def test_a_built_convolution_is_shared():
    x, layer = random_hot(1), conv()
    forward = as_numpy(layer(x))
    scan = DnaConv2D(layer, None)
    np.testing.assert_allclose(as_numpy(scan(x)[0]), forward, atol=1e-6)
    layer.set_weights([2 * weights for weights in layer.get_weights()])
    assert scan.forward_layer is layer
    assert all(np.array_equal(own, given) for own, given in zip(scan.get_weights(), layer.get_weights(), strict=True))
    np.testing.assert_allclose(as_numpy(scan(x)[0]), as_numpy(layer(x)), atol=1e-6)


def random_matrices(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, 4)) for length in lengths]


LAYERS = {
    "one hot": (lambda: OneHotCodes(2, dropout=0.5, seed=1), random_codes(2)),
    "one hot of order 4": (lambda: OneHotCodes(4), random_codes(4)),
    "reverse": (lambda: Reverse(axis=2), random_hot(1)),
    "complement": (Complement, random_hot(3)),
    "average": (lambda: LocalAveragePooling2D(3), random_hot(1)),
    "scan": (lambda: DnaConv2D(conv(), "concat", pool_size=3), random_hot(2)),
    "scan, two outputs": (lambda: DnaConv2D(conv(), None), random_hot(2)),
    "counts": (lambda: KmerCounts(3), random_codes(3)),
    "motifs": (lambda: MotifScores(["a", "b"], random_matrices(3, 7)), random_hot(1)),
}


@pytest.mark.parametrize(("make", "x"), LAYERS.values(), ids=LAYERS)
def test_a_layer_survives_its_config_and_knows_its_shape(make, x):
    layer = make()
    result = layer(x)
    predicted = make()(keras.Input(x.shape[1:], dtype=str(x.dtype)))
    assert [(len(x), *output.shape[1:]) for output in keras.tree.flatten(predicted)] == [
        tuple(output.shape) for output in keras.tree.flatten(result)
    ]
    config = keras.saving.serialize_keras_object(layer)
    copy = keras.saving.deserialize_keras_object(config)
    copy(x)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(all_numpy(copy(x)), all_numpy(result))
    assert keras.saving.serialize_keras_object(copy)["config"] == config["config"]


def test_codes_become_the_one_hot_of_the_data_room():
    for order in (1, 3, 4):
        codes = random_codes(order)
        np.testing.assert_array_equal(as_numpy(OneHotCodes(order)(codes)), one_hot(codes, order))
    beyond = np.array([[0, 5, 200]], dtype=np.uint8)
    assert as_numpy(OneHotCodes(1)(beyond)).sum(axis=-1).ravel().tolist() == [1, 0, 0]


def test_dropout_of_codes_follows_the_law_of_dropout_on_the_one_hot():
    rate, shape = 0.3, (400, 250)
    codes = np.random.default_rng(1).integers(0, 4, shape).astype(np.uint8)
    keras.utils.set_random_seed(1)
    ours = as_numpy(OneHotCodes(1, dropout=rate, seed=1)(codes, training=True))
    theirs = as_numpy(keras.layers.Dropout(rate, seed=1)(one_hot(codes, 1).astype(np.float32), training=True))
    for dropped in (ours, theirs):
        np.testing.assert_allclose(np.unique(dropped), [0, 1 / (1 - rate)], rtol=1e-6)
        assert not dropped[one_hot(codes, 1) == 0].any(), "what was zero stays zero"
        kept = dropped.any(axis=(2, 3))
        deviation = np.sqrt(rate * (1 - rate) / codes.size)
        assert abs(kept.mean() - (1 - rate)) < 4 * deviation
        assert abs(kept.mean(axis=0).std() - deviation * np.sqrt(shape[1])) < 0.004, "positions drop out alike"
        for pairs in (kept[:, 1:] & kept[:, :-1], kept[1:] & kept[:-1]):
            assert abs(pairs.mean() - (1 - rate) ** 2) < 0.006, "neighbours drop out independently"


def test_dropout_is_drawn_anew_and_in_training_only():
    codes = random_codes(2)
    layer = OneHotCodes(2, dropout=0.5, seed=1)
    first, second = (as_numpy(layer(codes, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(as_numpy(OneHotCodes(2, dropout=0.5, seed=1)(codes, training=True)), first)
    np.testing.assert_array_equal(as_numpy(layer(codes)), one_hot(codes, 2))


def test_average_over_a_window():
    x = random_hot(1)
    result = as_numpy(LocalAveragePooling2D(4)(x))
    expected = np.stack([x[:, start : start + 4].mean(axis=1) for start in range(x.shape[1] - 3)], axis=1)
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_counts_are_those_of_a_counter(k):
    rng = np.random.default_rng(k)
    sequences = ["".join(rng.choice(list("ACGTN"), 60, p=[0.3, 0.2, 0.2, 0.25, 0.05])) for _ in range(4)]
    letters = np.array([["ACGTN".index(letter) for letter in sequence] for sequence in sequences], dtype=np.uint8)
    partner = str.maketrans("ACGT", "TGCA")
    counts = as_numpy(KmerCounts(k)(kmer_codes(letters, k)))
    kmers = ["".join(kmer) for kmer in product("ACGT", repeat=k)]
    first = list(dict.fromkeys(min(kmer, kmer.translate(partner)[::-1]) for kmer in kmers))
    assert counts.shape == (4, len(first))
    assert counts.dtype == np.float32
    for sequence, row in zip(sequences, counts, strict=True):
        found = [sequence[start : start + k] for start in range(60 - k + 1)]
        expected = Counter(min(kmer, kmer.translate(partner)[::-1]) for kmer in found if "N" not in kmer)
        assert dict(zip(first, row.tolist(), strict=True)) == {kmer: expected[kmer] for kmer in first}
    turned = reverse_complement_codes(kmer_codes(letters, k), k)
    np.testing.assert_array_equal(as_numpy(KmerCounts(k)(turned)), counts)


def test_kmers_and_their_partners_share_a_number():
    numbers = canonical_kmers(2)
    assert numbers.max() + 1 == 10  # 16 - 6: AT, TA, CG and GC are their own partners
    assert numbers[0b0001] == numbers[0b1011]  # AC and GT


def slow_score(sequence, matrix):
    """The best sum of a matrix over the places of a sequence and of its reverse complement; N adds nothing."""
    partner = str.maketrans("ACGT", "TGCA")
    sums = [
        sum(
            matrix[i]["ACGT".index(letter)]
            for i, letter in enumerate(strand[start : start + len(matrix)])
            if letter != "N"
        )
        for strand in (sequence, sequence.translate(partner)[::-1])
        for start in range(len(sequence) - len(matrix) + 1)
    ]
    return max(sums)


@pytest.mark.parametrize("bases", [9, 10, 40])
def test_scores_of_motifs_are_those_of_a_slow_loop(bases):
    rng = np.random.default_rng(bases)
    sequences = ["".join(rng.choice(list("ACGTN"), bases, p=[0.3, 0.2, 0.2, 0.2, 0.1])) for _ in range(6)]
    letters = np.array([["ACGTN".index(letter) for letter in sequence] for sequence in sequences], dtype=np.uint8)
    matrices = random_matrices(4, 9, 1, 6, seed=bases)
    matrices[2] -= 5  # negative everywhere: no padding may add a better place
    layer = MotifScores(["a", "b", "c", "d"], matrices)
    scores = as_numpy(layer(OneHotCodes(1)(letters)))
    expected = [[slow_score(sequence, matrix) for matrix in matrices] for sequence in sequences]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert not layer.weights
    turned = as_numpy(layer(OneHotCodes(1)(reverse_complement_codes(letters, 1))))
    np.testing.assert_allclose(turned, scores, atol=1e-6)


@pytest.mark.parametrize("place", [0, 33])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_motif_is_found_at_both_ends_of_a_window_and_on_both_strands(place, reverse):
    matrix = np.full((7, 4), -9.0)
    matrix[np.arange(7), [0, 0, 1, 0, 2, 3, 3]] = 1.0  # AACAGTT
    letters = np.full((1, 40), 1, dtype=np.uint8)
    letters[0, place : place + 7] = [0, 0, 1, 3, 2, 3, 3] if reverse else [0, 0, 1, 0, 2, 3, 3]
    if reverse:  # AACTGTT, of which AACAGTT is the reverse complement
        assert "AACTGTT".translate(str.maketrans("ACGT", "TGCA"))[::-1] == "AACAGTT"
    scores = as_numpy(MotifScores(["long", "short"], [matrix, matrix[:2]])(OneHotCodes(1)(letters)))
    assert scores.tolist() == [[7.0, 2.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneHotCodes(0), "1 to 7.*order=0"),
        (lambda: OneHotCodes(1, dropout=1), "below 1.*dropout=1"),
        (lambda: KmerCounts(8), "1 to 7.*k=8"),
        (lambda: MotifScores(["a"], []), r"shape .length, 4.*shapes=\[\]"),
        (lambda: MotifScores(["a"], [np.ones((3, 5))]), r"shapes=\[\(3, 5\)\]"),
        (lambda: MotifScores(["a"], random_matrices(3, 4)), r"names=\['a'\], matrices=2"),
        (lambda: MotifScores(["a"], random_matrices(6))(random_hot(1, bases=5)), "longest=6, positions=5"),
        (lambda: MotifScores(["a"], random_matrices(6))(random_hot(2)), r"shape=\(3, 32, 1, 16\)"),
        (lambda: Reverse(axis=0), "axis=0"),
        (lambda: LocalAveragePooling2D(0), "window_size=0"),
        (lambda: Complement()(np.zeros((1, 5, 1, 20), dtype=np.float32)), "channels=20"),
        (lambda: LocalAveragePooling2D(2)(np.zeros((1, 5, 2, 4), dtype=np.float32)), r"shape=\(1, 5, 2, 4\)"),
        (lambda: DnaConv2D(conv(), "sum"), "merge_mode='sum'"),
        (lambda: DnaConv2D(conv(), pool_size=0), "pool_size=0"),
        (lambda: DnaConv2D(keras.layers.Conv2D(1, (3, 2))), r"kernel_size=\(3, 2\)"),
        (lambda: DnaConv2D(conv(groups=2)), "groups=2"),
        (lambda: DnaConv2D(conv(data_format="channels_first")), "channels_first"),
        (lambda: DnaConv2D(conv(activity_regularizer="l2")), "activity_regularizer"),
        (lambda: DnaConv2D(conv())(np.zeros((1, 9, 1, 20), dtype=np.float32)), "channels=20"),
        (lambda: DnaConv2D(conv())(np.zeros((1, 9, 2, 4), dtype=np.float32)), r"shape=\(1, 9, 2, 4\)"),
        (lambda: DnaConv2D(conv(width=4, padding="same"))(random_hot(1)), "padding='same'"),
        (lambda: DnaConv2D(conv(strides=(2, 1)))(random_hot(1, bases=34)), "strides=2"),
    ],
)
def test_what_is_not_right_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_only_a_conv2d_is_wrapped():
    with pytest.raises(TypeError, match="Conv1D"):
        DnaConv2D(keras.layers.Conv1D(1, 3))
