/** Datagrams to one server and from it (UDP). */
export interface Conversation {
  send(bytes: Uint8Array, port: number): void;
  /** Waits for the next datagram; null after `timeoutMs`. Throws SyscallError, as ECONNREFUSED for a closed port. */
  receive(timeoutMs: number): Promise<{ readonly bytes: Uint8Array; readonly port: number } | null>;
  close(): void;
}

/** Connections, for a child process: asynchronous, as `Http`. The name servers of resolv.conf(5) are asked for names. */
export interface Connections {
  /**
   * Makes a TCP connection to one address of a host, closes it again, and returns the address that has accepted it. Throws
   * SyscallError; its code is an errno name, or one of getaddrinfo(3): "ENOTFOUND", and "EAI_AGAIN" if no name server answers.
   */
  tryConnection(host: string, port: number, timeoutMs: number): Promise<string>;
  /** Returns the addresses of a host, at least one. Throws SyscallError as `tryConnection`. */
  listAddresses(host: string): Promise<readonly string[]>;
  /** Opens a socket for datagrams to the first address of a host. Throws SyscallError, as for a name that is unknown. */
  openConversation(host: string): Promise<Conversation>;
}
