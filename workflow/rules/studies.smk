# Chapter 9: targets by name. `snakemake jund` makes everything of the study of that name; `figures` and `report` do
# what they say. The paper's three use cases are studies of a config, never pipelines of their own.


rule everything:
    input:
        everything(),


rule figures:
    input:
        figure_paths(),


rule report:
    input:
        f"results/{RUN}/report.html",


rule jund:
    input:
        study_target("jund"),


rule deepsea:
    input:
        study_target("deepsea"),


rule cage:
    input:
        study_target("cage"),


for study in sorted(set(STUDIES) - {"jund", "deepsea", "cage"}):
    if study in {rule.name for rule in workflow.rules}:
        raise WorkflowError(f"studies.{study}: a rule of the workflow has this name; choose another.")

    rule:
        name:
            study
        input:
            study_target(study),
