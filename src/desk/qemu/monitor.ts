import type { Socket } from "bun";

/** QEMU's side of a QMP connection (docs/interop/qmp-spec in QEMU): commands go in, answers and events come out. */
export interface Monitor {
  /** Runs a QMP command and returns its answer; throws with QEMU's own words where it is refused, and when QEMU ends. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Passes each event's name and data to `listener` from now on; returns what ends that. */
  onEvent(listener: EventListener): () => void;
  close(): void;
}

/** Takes an event of QEMU. */
export type EventListener = (name: string, data: Readonly<Record<string, unknown>>) => void;

interface Message {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly id?: number;
}

/** Listens on a Unix socket for QEMU, which connects as a client (`-chardev socket,path=PATH`; with `abstract=on` PATH begins with a NUL here). */
export function listenForMonitor(path: string): Monitor {
  const listeners = new Set<EventListener>();
  const ready = Promise.withResolvers<Socket>();
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => "each command says it");
  const answers = new Map<number, (message: Message) => void>();
  let nextId = 0;
  const receive = (socket: Socket, message: Message): void => {
    if (message.QMP !== undefined) socket.write('{"execute":"qmp_capabilities"}\n');
    else if (message.event !== undefined) {
      for (const listener of [...listeners]) listener(message.event, message.data ?? {});
    } else if (message.id !== undefined) answers.get(message.id)?.(message);
    else ready.resolve(socket);
  };
  let buffered = "";
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        const lines = (buffered + bytes.toString()).split("\n");
        buffered = lines.pop() ?? "";
        for (const line of lines) receive(socket, JSON.parse(line) as Message);
      },
    },
  });
  return {
    async execute(command, args = {}) {
      const socket = await Promise.race([ready.promise, closed.promise]);
      const id = ++nextId;
      const answer = new Promise<Message>((resolve) => answers.set(id, resolve));
      socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
      const message = await Promise.race([answer, closed.promise]);
      answers.delete(id);
      if (message.error !== undefined) throw new Error(`QEMU refused ${command}: ${message.error.desc}`);
      return message.return;
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      server.stop(true);
      closed.reject(new Error("QEMU has ended"));
    },
  };
}
