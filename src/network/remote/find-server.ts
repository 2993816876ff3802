import { parseAddress } from "../../formats/network/addresses.ts";
import type { Child, Children } from "../../machine/child.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import { SyscallError } from "../../problems/errors.ts";
import { decodeAnswer, encodeJson } from "../nfs/order.ts";

/** Finds the address of a server in another process: a name server that does not answer must not hold up the boot. */
export interface ServerSearch {
  /** Returns an address that accepts connections, or the one that was given as such; null: not known yet. Throws SyscallError. */
  address(): Uint8Array | null;
  stop(): void;
}

/** Creates the search for a host, which has `timeoutMs` for each try. */
export function createServerSearch(
  machine: Pick<Children, "startChild">,
  { host, port }: { readonly host: string; readonly port: number },
  timeoutMs: number,
): ServerSearch {
  const own = parseAddress(host);
  let child: Child | null = null;
  let isAsked = false;

  function stop(): void {
    child?.stop();
    child = null;
    isAsked = false;
  }

  function ask(): Uint8Array | null {
    child ??= machine.startChild(CHILD_COMMANDS.nfs);
    if (!isAsked) child.order(encodeJson({ kind: "connect", host, port, timeoutMs }));
    const news = child.answer(0);
    isAsked = news.kind === "busy";
    if (news.kind === "busy") return null;
    if (news.kind === "gone") {
      stop();
      throw new SyscallError("connect", "EAI_AGAIN", host);
    }
    const answer = decodeAnswer(news.bytes);
    if ("code" in answer) throw new SyscallError("connect", answer.code, host);
    const found = parseAddress(answer.address ?? "");
    if (found === null) throw new SyscallError("connect", "EHOSTUNREACH", host);
    return found;
  }

  return { address: () => own ?? ask(), stop };
}
