#!/usr/bin/env bash
# run.sh [options]: what can only be known on a GPU, within one deadline: tests, timings, peers, sweeps,
# sanitizers, a profile. A part that fails, crashes or hangs loses only itself, and after every part
# summary.txt, results.json and logs.tar.gz in the folder for results are complete. No setting of the GPU
# is changed.
#
#   --out DIR           the folder for results ($OUT)
#   --deadline SECONDS  for everything (540)
#   --only PART...      these parts alone, behind a look at the machine
#   --list              the parts and the seconds of each
#   --bundle PATH       bundle.tar.gz, or the folder it was unpacked into (beside this script)
#   --build DIR         the programs of a build tree instead
#   --simulated DIR     its programs on the simulated GPU: what proves this script where there is no GPU
#   --commit ID         what is being run, where neither a bundle nor .git says it
#   --small             a few tests, one function: seconds on the simulated GPU
#
# Needs bash, coreutils, tar, gzip and python3; scripts/gpu-bundle makes the bundle.
# Exit status: 0; 1 if a part failed or had no time; 2 for a wrong call; 3 if there is no GPU.
set -uo pipefail
started=$EPOCHSECONDS
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1

# "$@" without --bundle; a call that is wrong in other ways is left to what reads it.
bundle='' unpacks=yes words=() out=${OUT:-}
while [[ $# -gt 0 ]]; do
    case $1 in
    --bundle)
        if [[ $# -lt 2 || ! -e $2 ]]; then
            echo "run.sh: --bundle ${2:-}: expected bundle.tar.gz or the folder it was unpacked into" >&2
            exit 2
        fi
        bundle=$2
        shift
        ;;
    -h | --help)
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --out)
        out=${2:-}
        words+=("$1")
        ;;
    --build | --simulated | --list)
        unpacks=no
        words+=("$1")
        ;;
    *) words+=("$1") ;;
    esac
    shift
done
if [[ -z $bundle && -f $here/bundle.tar.gz && ($unpacks == yes || ! -d $here/run) ]]; then
    bundle=$here/bundle.tar.gz
fi
if ! command -v python3 >/dev/null; then
    echo "run.sh: there is no python3" >&2
    exit 1
fi
if [[ -d $bundle ]]; then
    here=$(cd "$bundle" && pwd) || exit 1
elif [[ -n $bundle ]]; then
    unpacked=''
    trap '[[ -z $unpacked ]] || rm -rf "$unpacked"' EXIT
    for folder in "${TMPDIR:-/tmp}" /tmp "$out"; do  # the first may be missing or full
        [[ -z $out || $folder != "$out" ]] || mkdir -p "$out" 2>/dev/null
        unpacked=$(mktemp -d "$folder/matgrad-bundle.XXXXXX" 2>/dev/null) || continue
        why=$(tar -xzf "$bundle" -C "$unpacked" 2>&1) && break
        rm -rf "$unpacked"
        unpacked=''
    done
    if [[ -z $unpacked ]]; then
        why=${why:-no folder to unpack it into can be written to}
        echo "run.sh: $bundle cannot be unpacked in ${TMPDIR:-/tmp}, /tmp or ${out:-OUT}: ${why%%$'\n'*}" >&2
        exit 1
    fi
    here=$unpacked
fi
if [[ ! -d $here/run ]]; then
    echo "run.sh: no bundle.tar.gz lies beside it: name one with --bundle" >&2
    exit 2
fi
# Not exec: what was unpacked is removed afterwards. A signal to stop goes to what runs, which ends in order.
python3 "$here/run" --started "$started" "${words[@]+"${words[@]}"}" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do  # a signal ended the waiting, not the child
    wait "$child"
    status=$?
done
exit "$status"
