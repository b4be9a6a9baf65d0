#!/bin/sh
# Makes what compose.postgres.yaml reads: deploy/secrets/ with the token given and new passwords.
# Those that are there already stay: PostgreSQL keeps the password it was first started with.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

keep() { # NAME VALUE
    [ -s "secrets/$1" ] || printf '%s\n' "$2" > "secrets/$1"
    chmod 644 "secrets/$1" # read in the container by another user; the folder is closed to others here
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -s secrets/telegram_token ] && [ -z "${1:-}" ]; then
    echo "Usage: sh deploy/make_secrets.sh TOKEN   (the bot's token from @BotFather)" >&2
    exit 2
fi
if [ -n "${1:-}" ]; then rm -f secrets/telegram_token; fi
keep telegram_token "${1:-}"
keep webhook_secret "$(random)"
keep grafana_password "$(random)"
keep postgres_password "$(random)"
keep database_url "postgresql+asyncpg://kinorate:$(cat secrets/postgres_password)@postgres/kinorate"
