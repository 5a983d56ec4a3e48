// `npm run docs`: writes the generated pages.
import { writeFileSync } from "node:fs";
import { pages } from "./pages.ts";

for (const [path, page] of Object.entries(pages)) {
  writeFileSync(path, page());
  console.log(path);
}
