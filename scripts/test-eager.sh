#!/usr/bin/env bash
# Runs the tests of the eager engine on tfjs-node, built for the purpose in .ci/eager; the report lies there too.
# Exit code 77: skipped, and one line says why.
set -uo pipefail
cd "$(dirname "$0")/.."
eager=$PWD/.ci/eager
mkdir -p "$eager"
rm -f "$eager/report.json"

# One made by this very script earlier is as good.
if ! cmp -s scripts/install-tfjs-node.sh "$eager/made-by"; then
  rm -rf "$eager/node_modules" "$eager/made-by"
  scripts/install-tfjs-node.sh .ci/eager > "$eager/build.log" 2>&1
  code=$?
  if [ $code -eq 77 ]; then
    echo "skipped: THE EAGER ENGINE IS NOT TESTED ON TFJS-NODE: $(tail -n 1 "$eager/build.log")"
    exit 77
  fi
  if [ $code -ne 0 ]; then
    echo "tfjs-node was not built (exit code $code); the end of .ci/eager/build.log:"
    tail -n 40 "$eager/build.log"
    exit 1
  fi
  cp scripts/install-tfjs-node.sh "$eager/made-by"
fi

# Found by this path alone: the project's own node_modules stay as `npm ci` made them.
export NODE_PATH=$eager/node_modules ASPECTLENS_TEST_EAGER=tfjs-node ASPECTLENS_TEST_REPORT=$eager/report.json
export TF_CPP_MIN_LOG_LEVEL=2 # warnings and errors
npx vitest run test/engine/tfjs-engine.test.ts test/engine/agreement.test.ts test/cli/eager.test.ts
