/** A connection over TCP. */
export interface TcpSocket {
  /** Only after the other side has sent something. Throws SyscallError. */
  send(bytes: Uint8Array): void;
  /** Waits, and returns the bytes that have come, at most `most`; none at the end of the connection, null if nothing has come within `timeoutMs`. Throws SyscallError, also if no connection could be made. */
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
  /**
   * Begins to connect to a port of an address (4 bytes of IPv4, 16 of IPv6), and does not wait: what becomes of it, `receive` says.
   * `subject` names it in an error. Throws SyscallError: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH.
   */
  connectTcp(address: Uint8Array, port: number, subject: string): TcpSocket;
  /** Gives a connection to the driver nbd, which keeps it after `close`, and after this process. EBUSY if the device is in use, ENOENT without the driver. */
  attachNbd(socket: TcpSocket, request: NbdRequest): void;
  /**
   * Has the driver nvme-fabrics connect by these options ("transport=tcp,traddr=…"), and returns the controller, as "nvme0". Waits for the
   * server, up to minutes, so it is for a child process. EALREADY if it is connected, ENOENT without the driver.
   */
  connectNvme(options: string): string;
  /** Reads a part of a log page of a controller (Get Log Page of NVMe), for a child process: the server answers it. */
  readNvmeLog(controller: string, page: number, offset: number, length: number): Uint8Array;
}
