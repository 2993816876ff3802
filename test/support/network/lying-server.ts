import { createServer, type Server, type Socket } from "node:net";

/** What a server does with a request: `headers` by their names in lower case. */
export type Lie = (socket: Socket, headers: Readonly<Record<string, string>>, count: number) => void;

/** A server on the loopback that answers each path as a test says, byte for byte. */
export interface LyingServer extends AsyncDisposable {
  readonly url: string;
  /** The requests so far: the path and the header Range. */
  readonly requests: string[];
}

/** Starts a server; `count` of a lie is how often its path was asked for before. */
export async function startLyingServer(lies: Readonly<Record<string, Lie>>): Promise<LyingServer> {
  const requests: string[] = [];
  const seen = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.once("data", (data) => {
      const [first = "", ...lines] = data.toString("latin1").split("\r\n");
      const path = first.split(" ")[1] ?? "";
      const headers = Object.fromEntries(
        lines.flatMap((line) => {
          const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
          return name === "" ? [] : [[name.toLowerCase(), value]];
        }),
      );
      requests.push(`${path}${headers["range"] === undefined ? "" : ` ${headers["range"]}`}`);
      const count = seen.get(path) ?? 0;
      seen.set(path, count + 1);
      const lie = lies[path.split("?")[0] ?? ""];
      if (lie === undefined) socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      else lie(socket, headers, count);
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
}

export function head(status: number, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`;
}
