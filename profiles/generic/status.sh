#!/bin/sh
# Says of a job of SLURM, given by its id, what Snakemake asks: running, success or failed.
answer=$(scontrol --oneliner show job "$1" 2>&1)
case $answer in
    *JobState=COMPLETED*) echo success ;;
    *JobState=PENDING* | *JobState=CONFIGURING* | *JobState=RUNNING* | *JobState=SUSPENDED* | *JobState=COMPLETING*)
        echo running ;;
    *JobState=* | *"Invalid job id"*) echo failed ;;
    *) echo running ;; # the scheduler does not answer; Snakemake asks again
esac
