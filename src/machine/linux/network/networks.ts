import * as net from "../../network/abi.ts";
import { encodeChange, encodeDump } from "../../network/change-messages.ts";
import type { AdvertisedDns, DhcpSocket, Networks } from "../../network/network.ts";
import { parseAdvertisedDns, parseLink, parseLinkAddress, parseLinkRoute } from "../../network/state-messages.ts";
import { openDhcpSocket } from "./dhcp-socket.ts";
import { openRouteSocket, request, takeMessages } from "./route-socket.ts";

/** Waits for descriptors, uevents and answers of other processes. */
type WaitForNews = (fds: readonly number[], timeoutMs: number | null) => void;

/** A router advertises again and again: what is older than this many notices is forgotten. */
const MOST_ADVERTISED = 64;

/** Implements network interfaces by rtnetlink(7). */
export function createNetworks(waitForNews: WaitForNews): Networks {
  const sockets: { requests: number | null; notices: number | null } = { requests: null, notices: null };
  let sequence = 0;
  const dhcpSockets = new Map<DhcpSocket, number>();
  const advertised: AdvertisedDns[] = [];

  const ask = (encode: (sequence: number) => Uint8Array, subject: string) => {
    sockets.requests ??= openRouteSocket(0);
    sequence += 1;
    return request(sockets.requests, encode(sequence), { sequence, subject });
  };
  const dump = (type: number) => ask((number) => encodeDump(type, number), "rtnetlink");

  /** The state is read as a whole, but what a router has advertised is only in the notices. */
  function takeNotices(): void {
    if (sockets.notices === null) return;
    advertised.push(...takeMessages(sockets.notices).flatMap((message) => parseAdvertisedDns(message) ?? []));
    advertised.splice(0, Math.max(0, advertised.length - MOST_ADVERTISED));
  }

  return {
    listenForNetwork() {
      sockets.notices ??= openRouteSocket(net.RTMGRP_CHANGES);
    },
    networkState() {
      takeNotices();
      return {
        links: dump(net.RTM_GETLINK).flatMap((message) => parseLink(message) ?? []),
        addresses: dump(net.RTM_GETADDR).flatMap((message) => parseLinkAddress(message) ?? []),
        routes: dump(net.RTM_GETROUTE).flatMap((message) => parseLinkRoute(message) ?? []),
      };
    },
    advertisedDns() {
      takeNotices();
      return [...advertised];
    },
    changeNetwork: (change) => void ask((number) => encodeChange(change, number), change.kind),
    openDhcpSocket(index) {
      const { fd, socket } = openDhcpSocket(index);
      const close = () => {
        if (dhcpSockets.delete(tracked)) socket.close();
      };
      const tracked = { ...socket, close };
      dhcpSockets.set(tracked, fd);
      return tracked;
    },
    waitForNetwork(waiting, timeoutMs) {
      const fds = waiting.flatMap((socket) => dhcpSockets.get(socket) ?? []);
      waitForNews(sockets.notices === null ? fds : [sockets.notices, ...fds], timeoutMs);
    },
  };
}
