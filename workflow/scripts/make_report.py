from helpers.jobs import logged

with logged(snakemake.log[0]):
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    import yaml

    from helpers.files import atomic_path

    with tempfile.TemporaryDirectory() as folder, atomic_path(Path(snakemake.output[0]).resolve()) as report:
        config = Path(folder) / "config.yaml"
        config.write_text(yaml.safe_dump(dict(snakemake.params.config), sort_keys=False))
        snakefile = Path(__file__).parents[2] / "Snakefile"
        command = [sys.executable, "-m", "snakemake", snakemake.params.target, "--report", str(report)]
        command += ["--snakefile", str(snakefile), "--configfile", str(config), "--cores", "1", "--nolock"]
        command += ["--profile", "none", "--workflow-profile", "none"]
        subprocess.run(command, check=True)
