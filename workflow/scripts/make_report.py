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
        command = [
            sys.executable,
            "-m",
            "snakemake",
            snakemake.params.target,
            "--snakefile",
            snakemake.params.snakefile,
        ]
        command += [
            "--configfile",
            str(config),
            "--nolock",
            "--profile",
            "none",
            "--workflow-profile",
            "none",
            "--cores",
            "1",
        ]
        subprocess.run([*command, "--report", str(report)], check=True)
