#!/usr/bin/env bash
# What a machine with a GPU is to show, in one go, for reviews with labels in two files:
#
#     bash benchmarks/gpu.sh TRAIN TEST OUT
#
# It runs from the checkout, with the python3 and the torch that the machine has; nothing is
# installed, so that the pins of pyproject.toml don't count. Python packages that such machines
# lack (datasets, razdel, sqlalchemy, aiosqlite, alembic, silero-stress) can be brought as wheels:
#
#     python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 -d WHEELS NAME==VERSION
#     python3 -m pip install --no-index --no-deps --target SITE WHEELS/*.whl; export PYTHONPATH=SITE
#
# Every step's output goes to OUT, a step that fails does not end the rest, and the last lines say
# how each ended. ROWS=64 SECONDS_EACH=0.1 TESTS=tests/classifier/modeling make it a rehearsal on a
# machine without a GPU.
set -uo pipefail
train=$(realpath "$1") test=$(realpath "$2") out=$(mkdir -p "$3" && realpath "$3")
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} KINORATE_CACHE=${KINORATE_CACHE:-$out/cache}
models=$out/models short=${ROWS:+--limit $ROWS --epochs 1 --max-tokens 64} failed=0

step() {  # its name, then the command
    local name=$1 began=$SECONDS
    shift
    echo "== $name: $*"
    "$@" > >(tee "$out/$name.log") 2>&1
    local status=$?
    ((status)) && failed=1
    echo "$name: exit $status after $((SECONDS - began)) s" | tee -a "$out/steps.txt"
}

: > "$out/steps.txt"
step machine python3 -c '
import sys, torch, transformers
from classifier.modeling.device import compute_dtype, default_device
device = default_device()
print(sys.version, torch.__version__, transformers.__version__, device, compute_dtype(device))
print(torch.cuda.get_device_name() if device.type == "cuda" else "no GPU")'
step train python3 -m classifier train --reviews "$train" --holdout "$test" --models "$models" $short
step evaluate python3 -m classifier evaluate champion --models "$models"
step predict python3 -m classifier predict --models "$models" --file "$train" --out "$out/answers.jsonl"
step speed python3 -m benchmarks training --reviews "$train" --rows "${ROWS:-4096}" --repeats 2 \
    --seconds "${SECONDS_EACH:-8}" --json "$out/training.json"
step tests python3 -m pytest -q -m "not slow" -p no:cacheprovider "${TESTS:-tests/classifier}"
cat "$out/steps.txt"
exit $failed
