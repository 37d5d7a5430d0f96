// Copies the few files that the pages load from node_modules into web/static/vendor/ (`make assets`).
// Source maps are not taken, and the line that names them is cut off: a browser would ask for them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "static", "vendor");

// from node_modules -> name in web/static/vendor/
const files = {
  "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
  "@tabler/core/dist/js/tabler.min.js": "tabler.min.js",
  "htmx.org/dist/htmx.min.js": "htmx.min.js",
  "wavesurfer.js/dist/wavesurfer.min.js": "wavesurfer.min.js",
  "wavesurfer.js/dist/plugins/regions.min.js": "wavesurfer-regions.min.js",
  "echarts/dist/echarts.simple.min.js": "echarts.simple.min.js",
  "tinykeys/dist/tinykeys.umd.js": "tinykeys.umd.js",
  "signature_pad/dist/signature_pad.umd.min.js": "signature_pad.umd.min.js",
};

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor, { recursive: true });
for (const [from, to] of Object.entries(files)) {
  const text = readFileSync(join(here, "node_modules", from), "utf8");
  const mapless = text.replace(/\s*(\/\/[#@] sourceMappingURL=\S+|\/\*[#@] sourceMappingURL=\S+ \*\/)\s*$/, "\n");
  writeFileSync(join(vendor, to), mapless);
  console.log(`${to}  ${mapless.length}`);
}
