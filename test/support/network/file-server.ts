import { createServer, type ServerResponse } from "node:http";

/* A web server in a process of its own, for a test that waits synchronously. It prints its port. /file is 3 MB, sent slowly; /endless never ends. */
const FILE = new Uint8Array(3_000_000).fill(7);

const server = createServer((request, response) => {
  if (request.url === "/file") {
    response.writeHead(200, { "Content-Length": FILE.length });
    void sendSlowly(response, FILE);
  } else if (request.url === "/endless") {
    response.writeHead(200);
    void sendSlowly(response, null);
  } else response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});

async function sendSlowly(response: ServerResponse, bytes: Uint8Array | null): Promise<void> {
  for (let sent = 0; bytes === null || sent < bytes.length; sent += 300_000) {
    response.write(bytes === null ? "more" : bytes.subarray(sent, sent + 300_000));
    await Bun.sleep(200);
  }
  response.end();
}
