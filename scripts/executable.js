// Lets the built command be run as a program: `npx aspectlens` does, and the compiler writes it without that right.
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/cli/main.js", import.meta.url), 0o755);
