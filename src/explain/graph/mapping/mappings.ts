/** The mappings by name. */

import type { MappingName } from "../../methods.js";
import { grey } from "./grey.js";
import { identity } from "./identity.js";
import type { MappingOf } from "./mapping.js";

export const MAPPINGS: Readonly<Record<MappingName, MappingOf>> = { identity, grey };
