#!/usr/bin/env bash
# A thousand random kills -9 of workers, producer and collector while they fetch 100,000 URLs; the
# output must be what an undisturbed run gives. Arguments go to soak.py: --seed N repeats a run's
# choices (not its timing).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
deploy/packages.sh build test
cmake --preset release -DFETCHLINE_TESTS=ON >/dev/null
cmake --build --preset release --target \
  fetchline-producer fetchline-worker fetchline-collector fetchline-origin >/dev/null
exec tests/faults/soak.py "$@"
