#!/usr/bin/env bash
# A SLURM cluster of one node, this machine, for developers and tests. Needs root and Debian; no systemd.
#   one_node_slurm.sh install        slurm-wlm and munge from Debian
#   one_node_slurm.sh up FOLDER      start munged, slurmctld and slurmd; key, state and logs are in FOLDER, which all may enter
#   one_node_slurm.sh down FOLDER    stop them
# The node claims 4 CPUs, 64 GB and a GPU (a null device), whatever there is, so that what the rules ask for fits.
set -euo pipefail

action=${1:?install, up or down}
folder=$(realpath --canonicalize-missing "${2:-/tmp/one-node-slurm}")
host=$(hostname --short)

write_configuration() {
    cat > "$folder/gres.conf" <<CONF
NodeName=$host Name=gpu File=$folder/gpu0
CONF
    cat > "$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=2-0 State=UP
CONF
}

up() {
    if [ -e /etc/slurm/slurm.conf ]; then
        echo "ERROR: /etc/slurm/slurm.conf is there: this machine has a cluster. Stop it, or run '$0 down FOLDER'." >&2
        exit 1
    fi
    trap down EXIT # unless the end is reached
    mkdir -p "$folder"/{state,spool,munge}
    chmod 755 "$folder" "$folder/munge"
    (umask 077; head -c 128 /dev/urandom > "$folder/munge/key")
    [ -e "$folder/gpu0" ] || mknod "$folder/gpu0" c 1 3
    write_configuration
    # Snakemake's plugin hides SLURM_CONF from jobs, so that the configuration has to be where SLURM looks for it.
    ln -s "$folder"/{slurm,gres}.conf /etc/slurm/
    munged --socket="$folder/munge/socket" --key-file="$folder/munge/key" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/munge/seed"
    slurmctld -c
    slurmd -c
    for _ in $(seq 30); do
        if [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ]; then trap - EXIT; sinfo; return; fi
        sleep 1
    done
    tail -n 20 "$folder"/*.log >&2
    echo "ERROR: the node was not ready within 30 seconds; its logs are above and in $folder." >&2
    exit 1
}

is_ours() {
    [ "$(readlink "/etc/slurm/$1")" = "$folder/$1" ]
}

down() {
    if is_ours slurm.conf && [ -n "$(squeue --noheader 2>/dev/null)" ]; then
        scancel --partition=main
        sleep 6 # KillWait, and the node's report
    fi
    for daemon in slurmd slurmctld munged; do
        local pid
        pid=$(cat "$folder/$daemon.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
    done
    for name in slurm.conf gres.conf; do
        if is_ours $name; then rm /etc/slurm/$name; fi
    done
}

install() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends slurm-wlm munge
}

case $action in
    install | up | down) "$action" ;;
    *) echo "ERROR: unknown action '$action': install, up or down." >&2; exit 1 ;;
esac
