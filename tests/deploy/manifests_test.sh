#!/usr/bin/env bash
# Renders the Kubernetes manifests and validates what comes out against Kubernetes' published
# schemas, which npm has as a package; and what no schema says: see manifests_test.js.
#
#     tests/deploy/manifests_test.sh [DIRECTORY]   keeps the packages there; exit code 77: skipped
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
manifests=$here/../../deploy/kubernetes
cache=${1:-$here/../../build/manifests}
packages=(kubernetes-models@4.5.1 @kubernetes-models/keda@0.4.2 yaml@2.8.1)

skip() {
  echo "manifests_test.sh: skipped: $*"
  exit 77
}

render() {
  if command -v kustomize >/dev/null; then kustomize build "$1"; else kubectl kustomize "$1"; fi
}

command -v kustomize >/dev/null || kubectl kustomize --help >/dev/null 2>&1 || skip "neither kustomize nor kubectl"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm"
mkdir -p "$cache"
if [[ $(cat "$cache/installed" 2>/dev/null) != "${packages[*]}" ]]; then
  # Without a network this may hang for long before it gives up.
  timeout 90 npm install --prefix "$cache" --no-save --no-audit --no-fund --loglevel=error \
    "${packages[@]}" >"$cache/log" 2>&1 || skip "npm cannot get ${packages[*]}: $(tail -n 1 "$cache/log")"
  echo "${packages[*]}" >"$cache/installed"
fi

for folder in base overlays/example overlays/sharded; do
  render "$manifests/$folder" >"$cache/rendered.yaml"
  NODE_PATH=$cache/node_modules node "$here/manifests_test.js" "$folder" "$cache/rendered.yaml"
done
# Each component, on the base; those for autoscaling with what they ask.
for component in "$manifests"/components/*; do
  name=$(basename "$component")
  rm -rf "$cache/overlay" && mkdir "$cache/overlay"
  {
    echo "resources: [$(realpath --relative-to "$cache/overlay" "$manifests/base")]"
    echo "components:"
    [[ $name == autoscale-* ]] && echo "  - $(realpath --relative-to "$cache/overlay" "$manifests/components/http")"
    echo "  - $(realpath --relative-to "$cache/overlay" "$component")"
  } >"$cache/overlay/kustomization.yaml"
  render "$cache/overlay" >"$cache/component.yaml"
  NODE_PATH=$cache/node_modules node "$here/manifests_test.js" "components/$name" "$cache/component.yaml"
done
NODE_PATH=$cache/node_modules node "$here/manifests_test.js" --self-test "$cache/rendered.yaml"
