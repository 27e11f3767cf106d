#!/usr/bin/env node
/** The program `aspectlens`. */

import { runCommandLine } from "./command-line.js";
import { guardStreams } from "./streams.js";

guardStreams();
await runCommandLine(process.argv);
