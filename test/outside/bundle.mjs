// Bundles the @pathcheck packages into dist/: their loader (esm) does not run on Node 20.
import { build } from "esbuild";

await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { "shc-sdk": "@pathcheck/shc-sdk", "vds-sdk": "@pathcheck/vds-sdk" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  mainFields: ["module", "main"],
  alias: { "cross-fetch": "./global-fetch.mjs" },
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "error",
});
