// Downloads the URLs on the command line with the real machine, and prints the result as JSON.
import { createHash } from "node:crypto";
import { downloadToMemory } from "./download-to-memory.ts";

const { content, why } = await downloadToMemory(process.argv.slice(2));
const sha256 = createHash("sha256").update(content).digest("hex");
console.log(JSON.stringify({ bytes: content.length, sha256, why }));
