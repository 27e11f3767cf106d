#!/usr/bin/env bash
# Installs tfjs-node into node_modules without saving it, built against the library of the tensorflow-cpu Python wheel: for
# measuring and testing the eager engine where tfjs-node's own download of libtensorflow is not to be had. Needs pip, g++, make.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip download --quiet --no-deps --dest "$work" tensorflow-cpu
python3 -m zipfile -e "$work"/tensorflow_cpu-*.whl "$work/wheel"
# Beside the project and then copied: an optional peer cannot be installed into it without saving it.
mkdir "$work/native"
npm install --prefix "$work/native" --ignore-scripts @tensorflow/tfjs-node@4.22.0
cp -rn "$work/native/node_modules/." node_modules/
package=node_modules/@tensorflow/tfjs-node
library=$PWD/$package/deps/lib
mkdir -p "$library" "$package/deps/include"
for name in cc framework; do
  found=$(find "$work/wheel/tensorflow" -maxdepth 1 -name "libtensorflow_$name.so.2")
  cp "$found" "$library/"
done
ln -sf libtensorflow_cc.so.2 "$library/libtensorflow.so"
ln -sf libtensorflow_framework.so.2 "$library/libtensorflow_framework.so"
: > "$library/libtensorflow.so.2.9.1" # the sentinel by which the build knows that there is nothing to download
for headers in tensorflow xla tsl; do
  if [ -d "$work/wheel/tensorflow/include/$headers" ]; then cp -r "$work/wheel/tensorflow/include/$headers" "$package/deps/include/"; fi
done
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
if [ -d "$prefix/include/node" ]; then export npm_config_nodedir=$prefix; fi # Node's own headers, else node-gyp downloads them
(cd "$package" && node ../../@mapbox/node-pre-gyp/bin/node-pre-gyp install --build-from-source)
node --input-type=module -e 'const tf = await import("@tensorflow/tfjs-node"); console.log("tfjs-node works:", tf.getBackend ? "yes" : Object.keys(tf.default).length > 0)'
