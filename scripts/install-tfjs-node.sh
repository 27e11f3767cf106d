#!/usr/bin/env bash
# Builds tfjs-node against the library of the tensorflow-cpu Python wheel, for measuring and testing the eager engine where
# tfjs-node's own download of libtensorflow is not to be had.
#
#   scripts/install-tfjs-node.sh [FOLDER]   into FOLDER/node_modules; by default into the project's own, without saving it
#
# FOLDER lies in the project, whose TensorFlow.js tfjs-node must share. Nothing is cached or left elsewhere.
# Exit code 77: not to be had on this machine; the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."
absent() {
  echo "$*"
  exit 77
}
for tool in python3 g++ make; do command -v "$tool" > /dev/null || absent "$tool is absent"; done
python3 -m pip --version > /dev/null 2>&1 || absent "pip is absent"

modules=${1:-.}/node_modules
mkdir -p "$modules/@tensorflow"
modules=$(cd "$modules" && pwd)
work=$(mktemp -d "$modules/.tfjs-node-XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work PIP_NO_CACHE_DIR=1 npm_config_cache=$work/npm npm_config_devdir=$work/node-gyp

# The version that the contract suite has passed with. An index that does not answer in three minutes is as good as none.
timeout 180 python3 -m pip download --no-deps --only-binary :all: --dest "$work" tensorflow-cpu==2.21.0 ||
  absent "pip has no wheel of tensorflow-cpu 2.21.0 for this machine"
python3 -m zipfile -e "$work"/tensorflow_cpu-*.whl "$work/wheel"
wheel=$work/wheel/tensorflow
[ -e "$wheel/libtensorflow_cc.so.2" ] || absent "the wheel of tensorflow-cpu holds no libtensorflow_cc.so.2"

mkdir "$work/native"
npm install --no-audit --no-fund --ignore-scripts --prefix "$work/native" @tensorflow/tfjs-node@4.22.0
package=$modules/@tensorflow/tfjs-node
rm -rf "$package"
mv "$work/native/node_modules/@tensorflow/tfjs-node" "$package"
# What it needs goes inside it, where no other package meets it; TensorFlow.js does not: a second copy knows none of our tensors.
rm -rf "$work/native/node_modules/@tensorflow"
mv "$work/native/node_modules" "$package/node_modules"

mkdir -p "$package/deps/lib" "$package/deps/include"
for name in cc framework; do mv "$wheel/libtensorflow_$name.so.2" "$package/deps/lib/"; done
ln -s libtensorflow_cc.so.2 "$package/deps/lib/libtensorflow.so"
ln -s libtensorflow_framework.so.2 "$package/deps/lib/libtensorflow_framework.so"
: > "$package/deps/lib/libtensorflow.so.2.9.1" # the sentinel by which the build knows that there is nothing to download
for headers in tensorflow xla tsl; do
  if [ -d "$wheel/include/$headers" ]; then mv "$wheel/include/$headers" "$package/deps/include/"; fi
done
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
if [ -d "$prefix/include/node" ]; then export npm_config_nodedir=$prefix; fi # Node's own headers, else node-gyp downloads them
cd "$package"
node node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp install --build-from-source
node -e 'require("."); console.log(`tfjs-node works on TensorFlow ${require("@tensorflow/tfjs").backend().binding.TF_Version}`)'
