const WORDS: Readonly<Record<string, string>> = {
  EACCES: "access denied by the server",
  EPERM: "access denied by the server",
  ENOENT: "the server exports no such directory",
  ENOTDIR: "that is no directory on the server",
  EPROTONOSUPPORT: "the server, or this kernel, does not support this version of NFS",
  EINVAL: "the kernel refused the mount options",
  ENODEV: "this kernel has no NFS, or its modules are not in the image",
  ECONNREFUSED: "the server refused the connection",
  ECONNRESET: "the server closed the connection",
  ETIMEDOUT: "the server does not answer",
  EHOSTUNREACH: "there is no route to the server, or it is off",
  ENETUNREACH: "there is no route to the server",
  ENOTFOUND: "the name of the server is unknown",
  EAI_AGAIN: "the name server does not answer",
};

/** Says why a mount from a file server failed. */
export function describeServer(code: string): string {
  return WORDS[code] ?? `the mount failed with ${code}`;
}
