import { dlopen, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { SyscallError } from "../../../problems/errors.ts";
import * as net from "../../network/abi.ts";

/** struct addrinfo of netdb.h, on 64-bit machines: int flags, family, socktype, protocol; u32 addrlen; then the pointers to the address, the name and the next. */
const ADDRINFO = { size: 48, ai_family: 4, ai_socktype: 8, ai_addr: 24, ai_next: 40 } as const;
/** More than any host has that a boot asks for. */
const MOST_ADDRESSES = 16;

/** Bound at the first use: a boot that asks no name server does not pay for it. */
function openCalls() {
  return dlopen("libc.so.6", {
    getaddrinfo: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    freeaddrinfo: { args: ["ptr"], returns: "void" },
  }).symbols;
}

/** Returns the addresses of a host by getaddrinfo(3), which reads /etc/hosts and /etc/resolv.conf. Throws SyscallError. */
export function resolveHost(name: string): readonly Uint8Array[] {
  const calls = openCalls();
  const text = Buffer.from(`${name}\0`);
  const hints = new Uint8Array(ADDRINFO.size);
  new DataView(hints.buffer).setInt32(ADDRINFO.ai_socktype, net.SOCK_STREAM, true);
  const result = new BigUint64Array(1);
  const code = calls.getaddrinfo(ptr(text), null, ptr(hints), ptr(result));
  if (code !== 0) throw new SyscallError("getaddrinfo", "EHOSTUNREACH", name);
  const first = Number(result[0]) as Pointer;
  try {
    return listAddresses(first);
  } finally {
    calls.freeaddrinfo(first);
  }
}

function listAddresses(first: Pointer): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = first; at !== 0 && found.length < MOST_ADDRESSES; at = read.ptr(at, ADDRINFO.ai_next) as Pointer) {
    const isSix = read.i32(at, ADDRINFO.ai_family) === net.AF_INET6;
    const [from, length] = isSix ? [net.SOCKADDR_IN6.sin6_addr, 16] : [net.SOCKADDR_IN.sin_addr, 4];
    const address = read.ptr(at, ADDRINFO.ai_addr) as Pointer;
    // A copy: the memory is freed.
    found.push(Uint8Array.from(new Uint8Array(toArrayBuffer(address, from, length))));
  }
  return found;
}
