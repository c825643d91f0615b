#!/bin/sh
# Becomes the service: what `deno task start` does, but with packages that are cached already, without the network
# (`deno task` itself asks the registry), and without a process between the supervisor and Deno.
set -eu
cd "$(dirname "$0")/../.."
run="deno run --no-prompt --lock=deno.lock --frozen --cached-only --allow-import=jsr.io:443"
permissions=$($run --allow-env --allow-read lib/tasks/permissions.ts)
# Otherwise glibc keeps the memory of Argon2id: lib/config/malloc.ts.
export MALLOC_MMAP_THRESHOLD_=4194304
# shellcheck disable=SC2086
exec $run $permissions main.ts
