"""Arguments that a constructor does not have: one sentence that says what to write instead."""

import inspect
import pickle

import numpy as np
import pytest

from helpers.data import Bioseq, Cover, GenomicIndexer
from helpers.data.arguments import explain_arguments
from helpers.errors import InputError

CONSTRUCTORS = (
    Bioseq.create_from_refgenome,
    Bioseq.create_from_seq,
    Cover.create_from_array,
    Cover.create_from_bam,
    Cover.create_from_bed,
    Cover.create_from_bigwig,
    Cover.create_from_store,
)


@pytest.mark.parametrize("name", ["verbose", "overwrite", "datatags"])
@pytest.mark.parametrize("create", CONSTRUCTORS, ids=lambda create: create.__name__)
def test_arguments_of_janggu_that_are_gone_are_explained(create, name):
    with pytest.raises(InputError, match=rf"{create.__name__} has no argument {name}\. .*Leave it out\.$"):
        create("name", "no_such_file", **{name: True})


@pytest.mark.parametrize(
    ("create", "name", "remedy"),
    [
        (Cover.create_from_bam, "pairedend", "count='midpoint'"),
        (Cover.create_from_bam, "template_extension", "count='fragment'"),
        (Cover.create_from_bam, "dtype", "float32"),
        (Cover.create_from_bed, "minoverlap", r"overlap=0\.5"),
        (Cover.create_from_array, "store_whole_genome", "belong to their windows"),
        (Bioseq.create_from_seq, "cache", "save"),
        (Cover.create_from_bam, "strandet", r"Did you mean stranded\?"),
        (Cover.create_from_bam, "minmapq", r"Did you mean min_mapq\?"),
        (Bioseq.create_from_refgenome, "colour", "It has name, refgenome, roi"),
    ],
)
def test_each_unknown_argument_has_a_remedy(create, name, remedy):
    with pytest.raises(InputError, match=remedy):
        create("name", "no_such_file", **{name: 1})


def test_known_arguments_pass_by_position_by_name_and_by_two_stars():
    windows = GenomicIndexer.create_from_region("chr1", 0, 20, "+", 10)
    cover = Cover.create_from_array("scores", np.ones((2, 1)), windows, conditions=["a"])
    assert cover.conditions == ["a"]
    with pytest.raises(InputError, match="does not exist"):
        Cover.create_from_bam("reads", "no_such_file.bam", stranded=False, keep_duplicates=False)


def test_a_function_keeps_its_signature_and_its_text():
    assert list(inspect.signature(Cover.create_from_array).parameters)[:3] == ["name", "array", "gindexer"]
    assert Cover.create_from_array.__doc__.startswith("Give values to windows")
    assert pickle.loads(pickle.dumps(Cover.create_from_array)) == Cover.create_from_array


def test_further_names_are_known():
    @explain_arguments("width")
    def draw(height, **settings):
        return height, settings

    assert draw(1, width=2) == (1, {"width": 2})
    with pytest.raises(InputError, match=r"draw has no argument widht\. Did you mean width\?"):
        draw(1, widht=2)
