/** The failures in a report of `bun test` (JUnit's XML): the file, the test and what it threw, in at most `lines` lines each. */
export function failedTests(report: string, lines = 25): string[] {
  const tests = report.matchAll(
    /<testcase name="([^"]*)"[^>]* file="([^"]*)"[^>]*>\s*<(?:failure|error)([^>]*)>([^<]*)/g,
  );
  return Array.from(tests, ([, name = "", file = "", attributes = "", text = ""]) => {
    const type = /\btype="([^"]*)"/.exec(attributes)?.[1] ?? "";
    const said = decode(text || type)
      .trim()
      .split("\n")
      .slice(0, lines);
    return [`${decode(file)}: ${decode(name)}`, ...said.map((line) => `  ${line}`)].join("\n");
  });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(xml: string): string {
  return xml.replace(/&(?:#(\d+)|(\w+));/g, (entity, code?: string, name = "") =>
    code === undefined ? (ENTITIES[name] ?? entity) : String.fromCodePoint(Number(code)),
  );
}
