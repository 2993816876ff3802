import { SyscallError } from "../../../problems/errors.ts";
import type { Connections } from "../../network/connections.ts";

/** Connections by the runtime. They are made in a child process only. */
export const connections: Connections = {
  async tryConnection(host, port, timeoutMs) {
    const refusal = (code: string) => new SyscallError("connect", code, host);
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(refusal("ETIMEDOUT")), timeoutMs);
    try {
      const attempt = Bun.connect({ hostname: host, port, socket: { data: () => undefined } }).then((socket) => {
        const { remoteAddress } = socket;
        socket.terminate();
        return remoteAddress;
      });
      return await Promise.race([attempt, timeout.promise]);
    } catch (error) {
      if (error instanceof SyscallError) throw error;
      const { code } = error as { readonly code?: unknown };
      throw refusal(typeof code === "string" ? code : "EIO");
    } finally {
      clearTimeout(timer);
    }
  },
};
