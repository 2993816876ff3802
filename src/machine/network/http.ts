/** A request for a file over HTTP or HTTPS. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** "http://HOST:PORT"; null: no proxy. */
  readonly proxy: string | null;
  /** The certificates, as PEM, that a server's certificate must lead to; empty: those that the runtime contains. */
  readonly authorities: readonly string[];
  /** Ends the request, also while its body is read. */
  readonly signal: AbortSignal;
}

/** The answer to a request; a redirect is an answer too. */
export interface HttpReply {
  readonly status: number;
  /** Of a header by its name in lower case; null if there is none. */
  header(name: string): string | null;
  /** Returns the next part of the body; null at its end. Throws SyscallError if the connection ends before. */
  read(): Promise<Uint8Array | null>;
}

/** HTTP, for the child process that downloads: the one part of a machine that is asynchronous. */
export interface Http {
  /** Sends a GET request and waits for the headers of the answer. Throws SyscallError; its code is an errno name or one of OpenSSL's for a certificate. */
  request(request: HttpRequest): Promise<HttpReply>;
}
