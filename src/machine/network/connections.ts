/** Connections, for a child process: asynchronous, as `Http`. */
export interface Connections {
  /**
   * Makes a TCP connection, closes it again, and returns the address that has accepted it; the name servers of resolv.conf(5) are
   * asked for a name. Throws SyscallError; its code is an errno name, or one of getaddrinfo(3), as "ENOTFOUND".
   */
  tryConnection(host: string, port: number, timeoutMs: number): Promise<string>;
}
