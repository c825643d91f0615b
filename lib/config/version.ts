/** The version of Gatehouse. `deno.json` is its only source; `.github/CHANGELOG.md` describes each one. */

import project from "../../deno.json" with { type: "json" };

/** As in `1.1.0`. */
export const version: string = project.version;
