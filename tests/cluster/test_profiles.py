"""What the rules ask of a cluster, against the profiles and the page that tells of it."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
RULES = {
    name: body for path in (ROOT / "workflow/rules").glob("*.smk") for name, body in RULE.findall(path.read_text())
}
WORKING = {name: body for name, body in RULES.items() if re.search(r"^    (script|shell):", body, re.MULTILINE)}
PROFILES = {name: yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("slurm", "generic")}


def asked(body, resource):
    """What a rule asks for at its first attempt; None without."""
    found = re.search(rf"^        {resource}=lambda wildcards, attempt: (\d+) \* attempt,$", body, re.MULTILINE)
    return int(found[1]) if found else None


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sizes_every_group_of_the_rules_and_no_other(profile):
    groups = {
        found[1] for body in RULES.values() if (found := re.search(r'^    group:\n +"(\w+)"', body, re.MULTILINE))
    }
    assert set(PROFILES[profile]["group-components"]) == groups
    assert len(groups) > 3


@pytest.mark.parametrize("profile", PROFILES)
def test_jobs_are_given_more_with_each_attempt_and_enough_at_the_first(profile):
    for value in (PROFILES[profile]["default-resources"][name] for name in ("mem_mb", "runtime")):
        assert re.fullmatch(r"\d+ \* attempt", value)
    floor = int(PROFILES[profile]["default-resources"]["mem_mb"].split()[0])
    sizes = [asked(body, "mem_mb") or floor for body in WORKING.values()]
    assert min(sizes) >= 1000
    assert PROFILES[profile]["retries"] > 0
    assert "mem_mb" not in PROFILES[profile]["resources"], "it would cut down what each job asks for"


@pytest.mark.parametrize("name", WORKING)
def test_what_a_rule_asks_for_grows_with_attempt(name):
    """A constant would be asked for again by a job that was killed for it."""
    for resource in ("mem_mb", "runtime"):
        assert f"        {resource}=" not in WORKING[name] or asked(WORKING[name], resource), resource


def test_threads_grow_with_attempt_only_where_the_result_stays_the_same():
    found = {name: re.search(r"    threads: ([^#\n]+)", body) for name, body in WORKING.items()}
    threads = {name: match[1].strip() for name, match in found.items() if match}
    assert threads.pop("index_alignments") == "lambda wildcards, attempt: attempt"
    assert "train_model" in threads
    assert set(threads.values()) == {"1"}


def test_no_rule_is_repeated_within_its_allocation():
    """Downloads try again by themselves: no profile should repeat them."""
    repeated = {name: found[1] for name, body in WORKING.items() if (found := re.search(r"    retries: (\d+)", body))}
    assert repeated == {"download_track": "0", "fetch_igv": "0"}


def test_the_default_profile_leaves_resources_to_a_cluster():
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    assert "default-resources" not in default
    assert "set-resources" not in default


def test_the_page_says_what_each_rule_asks_for():
    page = (ROOT / "docs/cluster.md").read_text()
    rows = re.findall(r"^\| (`.*`|all others) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    told = {name: (int(mb), int(minutes)) for names, mb, minutes in rows for name in re.findall(r"\w+", names)}
    defaults = [int(PROFILES["slurm"]["default-resources"][key].split()[0]) for key in ("mem_mb", "runtime")]
    assert (told.pop("all"), told.pop("others")) == (tuple(defaults), tuple(defaults))
    wanted = {name: (asked(body, "mem_mb"), asked(body, "runtime")) for name, body in WORKING.items()}
    special = {name: (mb or defaults[0], run or defaults[1]) for name, (mb, run) in wanted.items() if mb or run}
    assert told == special


@pytest.mark.parametrize(
    ("device", "own", "number"),
    [("gpu", {}, 1), ("auto", {}, 0), ("cpu", {"device": "gpu"}, 1), ("gpu", {"device": "cpu"}, 0)],
)
def test_rules_that_compute_with_keras_ask_for_a_gpu_when_the_config_does(
    device, own, number, tmp_path, run_workflow, micro_config
):
    config = micro_config()
    config["device"] = device
    config["studies"] = {"jund": config["studies"]["jund"] | own}
    done = run_workflow(tmp_path, config, "jund", "-n")
    assert done.returncode == 0, done.stdout[-4000:]
    found = {}
    for name, resources in re.findall(
        r"^(?:rule|checkpoint) (\w+):\n(?:    .*\n)*?    resources: (.*)$", done.stdout, re.M
    ):
        found.setdefault(name, set()).update(re.findall(r"\bgpu=(\d+)", resources))
    keras = {"train_model", "attribute_inputs", "find_motifs", "mutate_motif", "score_variants"}
    assert keras == {name for name, body in WORKING.items() if "device=device_number" in body}
    assert {name: values for name, values in found.items() if values} == dict.fromkeys(keras, {str(number)})
    assert {"encode_genome", "compare_models"} < set(found)
