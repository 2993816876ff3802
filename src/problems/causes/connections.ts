/** Why a connection to a server failed, by errno names and those of getaddrinfo(3). */
export const CONNECTIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the server closed the connection",
  ETIMEDOUT: "the server does not answer",
  EHOSTUNREACH: "there is no route to the server, or it is off",
  ENETUNREACH: "there is no route to the server",
  ENOTFOUND: "the name of the server is unknown",
  EAI_AGAIN: "the name server does not answer",
  ECHILD: "the process that connects has ended",
};
