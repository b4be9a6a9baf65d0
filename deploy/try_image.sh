#!/usr/bin/env bash
# Builds the image from nothing and uses it as people do: it trains, answers, hangs, stops, starts
# again, and says what is wrong with its volumes. Prints the sizes and the seconds.
#
#   deploy/try_image.sh [IMAGE]      # one that is there already is not built
#
# Needs a running Docker, or root on Debian: then it installs one, runs it for itself, and makes the
# base image by debootstrap where no registry answers. Exit status 77: it can't be tried here.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "The image can't be tried here: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
say() { echo "== $*"; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.1f s", b - a}'; }

scratch=$(mktemp -d /var/tmp/try_image.XXXXXX)
name=kinorate-try-$$
own_wheels=no
daemon=
cleanup() {
    local status=$?
    set +e
    docker ps --all --quiet --filter "name=$name" 2>/dev/null | xargs --no-run-if-empty docker rm --force >/dev/null
    docker volume rm "$name-data" "$name-models" >/dev/null 2>&1
    docker rmi "$name" >/dev/null 2>&1
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
        umount "$scratch"/run/netns/* "$scratch/docker" 2>/dev/null
    fi
    [ "$own_wheels" = no ] || rm -f deploy/wheels/*.whl
    rm -rf "$scratch"
    exit "$status"
}
trap cleanup EXIT

# --- Docker -----------------------------------------------------------------------------------
if ! docker info >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || skip "no Docker answers, and starting one needs root."
    command -v apt-get >/dev/null || skip "no Docker answers, and there is no apt-get to install one."
    missing=()
    command -v dockerd >/dev/null || missing+=(docker.io)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v docker-compose >/dev/null || missing+=(docker-compose)
    if [ "${#missing[@]}" -gt 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null \
            || skip "${missing[*]} can't be installed."
    fi
    # Without a bridge and rules of iptables it runs inside of other containers too.
    dockerd --iptables=false --bridge=none --data-root "$scratch/docker" --exec-root "$scratch/run" \
        --pidfile "$scratch/pid" --host "unix://$scratch/docker.sock" >"$scratch/dockerd.log" 2>&1 &
    daemon=$!
    export DOCKER_HOST=unix://$scratch/docker.sock
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && break
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.5
    done
    docker info >/dev/null 2>&1 || skip "Docker does not start: $(tail -1 "$scratch/dockerd.log")"
fi
# A client of its own may be first in PATH, and one of Docker's helpers may be missing.
docker version --format 'Docker {{.Server.Version}}'

image=${1:-$name}
if [ $# = 0 ]; then

gigabytes=$(df --output=avail -BG "$scratch" | tail -1 | tr -dc 0-9)
[ "$gigabytes" -ge 12 ] || skip "a build needs 12 GB of disk, and $gigabytes are free."

# --- The base image ---------------------------------------------------------------------------
base=$(sed -nE 's/^FROM ([^ ]+:[^ ]+) AS base$/\1/p' Dockerfile)
if ! docker image inspect "$base" >/dev/null 2>&1 && ! timeout 60 docker pull --quiet "$base" >/dev/null 2>&1; then
    say "no registry answers: $base is made by debootstrap"
    [ "$(id -u)" = 0 ] || skip "no registry answers, and debootstrap needs root."
    command -v debootstrap >/dev/null || skip "no registry answers, and there is no debootstrap."
    debootstrap --variant=minbase bookworm "$scratch/base" >"$scratch/debootstrap.log" 2>&1 \
        || skip "debootstrap fails: $(tail -1 "$scratch/debootstrap.log")"
    # What the image of that name lacks as well.
    tar --directory "$scratch/base" --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
        --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' --exclude='./dev/*' \
        --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --create . \
        | docker import - "$base" >/dev/null
    rm -rf "$scratch/base"
fi
docker run --rm --network=host "$base" apt-get update >"$scratch/first.log" 2>&1 \
    || skip "a container does not run, or does not reach Debian: $(grep -v "help'" "$scratch/first.log" | grep . | tail -1)"

# --- The build --------------------------------------------------------------------------------
# This machine's pip knows its index and its certificate, which a container doesn't.
python=.venv/bin/python
if ! ls deploy/wheels/*.whl >/dev/null 2>&1 \
    && [ "$($python -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null)" = 3.11 ]; then
    own_wheels=yes
    download() { "$python" -m pip download --quiet --no-deps --dest deploy/wheels "$@" 2>"$scratch/pip.log"; }
    download --require-hashes --requirement requirements.lock \
        && download --extra-index-url https://download.pytorch.org/whl/cpu "$(grep -o 'torch==[0-9.]*' pyproject.toml)" \
        || skip "its packages can't be downloaded: $(tail -1 "$scratch/pip.log")"
fi
# BuildKit is quicker; newer clients need a plugin for it.
client=docker
for each in docker /usr/bin/docker; do
    if DOCKER_BUILDKIT=1 "$each" build --help >/dev/null 2>&1; then
        client=$each
        export DOCKER_BUILDKIT=1
        break
    fi
done
say "building"
started=$(now)
"$client" build --network=host --tag "$image" . >"$scratch/build.log" 2>&1 \
    || { tail -30 "$scratch/build.log"; fail "the image can't be built."; }
say "built in $(since "$started")"

fi
docker image inspect --format '{{.Size}}' "$image" | awk '{printf "Size: %.2f GB\n", $1 / 1e9}'
docker history --format '{{.Size}}\t{{.CreatedBy}}' "$image" | grep -v '^0B' | cut -c 1-90
docker run --rm --network=none --entrypoint sh "$image" -c '
    cd /opt/venv/lib/python3.11/site-packages
    find . -type f -printf "%s %P\n" | awk "{split(\$2, path, \"/\"); size[path[1]] += \$1}
        END {for (name in size) printf \"%7.1f MB %s\n\", size[name] / 1e6, name}" | sort -rn | head -12'
docker run --rm --network=none --user 0 --entrypoint sh "$image" -c '
    for tool in gcc cc ld as make pip; do ! command -v $tool || exit 1; done
    test -z "$(find /var/cache/apt /var/lib/apt/lists /root /tmp -name "*.deb" -o -name "*_Packages*" -o -name "*.whl")"' \
    || fail "a compiler, pip or a cache is left in the image."

# --- The bot ----------------------------------------------------------------------------------
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
local_port=$(free_port) monitoring_port=$(free_port)
run() { # NAME [OPTIONS]: read-only, as 10001, without any capability
    docker run --name "$name-$1" --read-only --tmpfs /tmp --cap-drop ALL \
        --security-opt no-new-privileges --network=host --env LOCAL_PORT="$local_port" \
        --env MONITORING_PORT="$monitoring_port" --env LOG_FORMAT=text "${@:2}" "$image"
}
probe() { docker exec "$name-bot" python -m bot.monitoring.probe; }
is_healthy() { docker inspect --format '{{.State.Health.Status}}' "$name-bot" | grep -qx healthy; }
wait_for() { # SECONDS COMMAND…
    for _ in $(seq "$1"); do "${@:2}" >/dev/null 2>&1 && return; sleep 1; done
    docker logs "$name-bot" 2>&1 | tail -20
    fail "in vain: ${*:2}"
}
ask() { # after SINCE: the chat's address, the answer
    address=$(docker logs --since "$1" "$name-bot" 2>/dev/null | sed -nE 's/^The chat with the bot is at ([^ ]+).*/\1/p' | tail -1)
    [ -n "$address" ] && python3 deploy/ask.py "$address" "Скучнейший фильм: два часа ждал, когда же он кончится."
}
printed() { docker logs --since "$1" "$name-bot" 2>/dev/null | grep -q '^The chat with the bot is at '; }
is_well() { probe | grep -q '^ok'; }

started=$(now) stamp=$(date --iso-8601=seconds)
run bot --detach --volume "$name-data:/data" --volume "$name-models:/models" \
    --env FIRST_TRAINING_MINUTES="${MINUTES:-1}" >/dev/null
wait_for 60 probe
probe | grep '^training' || fail "the health check does not know a training."
[ "$(docker exec "$name-bot" id -u)" = 10001 ] || fail "it does not run as 10001."
wait_for 60 printed "$stamp"
say "the chat page after $(since "$started")"
ask "$stamp" | grep 'ещё учатся' || fail "it does not say that its models are being trained."
wait_for 1500 is_well
say "trained and ready after $(since "$started")"
ask "$stamp"
say "first answer after $(since "$started")"
wait_for 60 is_well
probe
wait_for 60 is_healthy

say "it hangs"
pid=$(docker exec "$name-bot" sh -c 'for d in /proc/[0-9]*; do tr "\0" " " < $d/cmdline | grep -q "^python -m bot $" && basename $d; done | head -1')
docker exec "$name-bot" sh -c "kill -STOP $pid"
if probe; then fail "the health check does not know one that hangs."; fi
docker exec "$name-bot" sh -c "kill -CONT $pid"
wait_for 30 is_well

say "it stops"
started=$(now)
docker stop --time 15 "$name-bot" >/dev/null
say "stopped in $(since "$started") with exit status $(docker inspect --format '{{.State.ExitCode}}' "$name-bot")"
[ "$(docker inspect --format '{{.State.ExitCode}}' "$name-bot")" = 0 ] || fail "SIGTERM does not stop it in order."

say "it starts again"
started=$(now) stamp=$(date --iso-8601=seconds)
docker start "$name-bot" >/dev/null
wait_for 120 printed "$stamp"
ask "$stamp"
say "first answer after $(since "$started")"
docker kill --signal TERM "$name-bot" >/dev/null
docker wait "$name-bot" | grep -qx 0 || fail "SIGTERM does not stop it in order."

say "it answers with models that it can only read"
stamp=$(date --iso-8601=seconds)
docker rename "$name-bot" "$name-before"
run bot --detach --volume "$name-data:/data" --volume "$name-models:/models:ro" >/dev/null
wait_for 120 printed "$stamp"
ask "$stamp" | head -1
docker logs "$name-bot" 2>&1 | grep 'nothing is retrained here' || fail "it does not say that they are read-only."
docker logs "$name-bot" 2>&1 | grep Traceback && fail "there is a traceback."
docker rm --force "$name-bot" >/dev/null

say "what is wrong is told in a sentence"
sentence() { # PATTERN NAME OPTIONS…
    local said status=0
    said=$(run "$2" "${@:3}" 2>&1) || status=$?
    echo "$said"
    [ "$status" = 1 ] || fail "exit status $status."
    [ "$(wc -l <<<"$said")" = 1 ] && grep -q "$1" <<<"$said" || fail "that is not the sentence."
}
mkdir "$scratch/roots" "$scratch/secrets" && chmod 755 "$scratch" "$scratch/roots" "$scratch/secrets"
if [ "$(id -u)" = 0 ]; then
    sentence 'data.*belongs to user 0, and the bot runs as user 10001' owner --volume "$scratch/roots:/data"
    sentence '/models.*belongs to user 0' models --volume "$scratch/roots:/models"
fi
sentence 'data.*Read-only file system' readonly --volume "$name-data:/data:ro"
: > "$scratch/secrets/telegram_token" && chmod 644 "$scratch/secrets/telegram_token"
sentence 'TELEGRAM_TOKEN can.t be read from /run/secrets/telegram_token: the file is empty' empty \
    --volume "$scratch/secrets:/run/secrets:ro"
sentence 'it is a folder' folder --volume "$scratch/nothing:/run/secrets/telegram_token"
say "all of it works"
