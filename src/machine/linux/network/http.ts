import { SyscallError } from "../../../problems/errors.ts";
import type { Http, HttpReply, HttpRequest } from "../../network/http.ts";

/** HTTP by the runtime's client. It is called in a child process only: nothing of it is read from the executable before. */
export const http: Http = {
  async request({ url, headers, proxy, authorities, signal }: HttpRequest): Promise<HttpReply> {
    const reply = await refusable(url, signal, () =>
      fetch(url, {
        headers: { "accept-encoding": "identity", ...headers },
        redirect: "manual",
        decompress: false,
        keepalive: false,
        signal,
        ...(proxy === null ? {} : { proxy }),
        ...(authorities.length === 0 ? {} : { tls: { ca: [...authorities] } }),
      }),
    );
    const body = reply.body?.getReader() ?? null;
    return {
      status: reply.status,
      header: (name) => reply.headers.get(name),
      async read() {
        if (body === null) return null;
        const { value, done } = await refusable(url, signal, () => body.read());
        return done ? null : value;
      },
    };
  },
};

async function refusable<T>(url: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (signal.aborted) throw new SyscallError("request", "ETIMEDOUT", url);
    const { code } = error as { readonly code?: unknown };
    throw new SyscallError("request", typeof code === "string" ? code : "EPROTO", url);
  }
}
