/** A connection over TCP. */
export interface TcpSocket {
  send(bytes: Uint8Array): void;
  /** Waits, and returns the bytes that have come, at most `most`; none at the end of the connection, null if nothing has come within `timeoutMs`. */
  receive(most: number, timeoutMs: number): Uint8Array | null;
  close(): void;
}

/** An export of an NBD server that a connection leads to. */
export interface NbdRequest {
  /** The kernel's name of the device: "nbd0". */
  readonly device: string;
  readonly sizeBytes: number;
  /** Of the requests: a power of two, 512 or more. */
  readonly blockBytes: number;
  /** The transmission flags, as the server has sent them. */
  readonly flags: number;
}

/** Disks on servers, as far as the kernel does not find them alone. */
export interface RemoteDisks {
  /** Returns the addresses of a host, as text. Throws SyscallError: EHOSTUNREACH if no name server knows it. May wait for a name server for some seconds. */
  resolveHost(name: string): readonly string[];
  /** Connects to a port; `address` is one of IPv4 or IPv6. Throws SyscallError: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH. */
  connectTcp(address: string, port: number, timeoutMs: number): TcpSocket;
  /** Gives a connection to the driver nbd, which keeps it after `close`, and after this process. EBUSY if the device is in use, ENOENT without the driver. */
  attachNbd(socket: TcpSocket, request: NbdRequest): void;
}
