/** A parameter of the command line as it is written: quotes keep spaces in it (next_arg of lib/cmdline.c). */
const WORD = /(?:[^\s"]|"[^"]*"?)+/g;

/** What comes before a password: rd.iscsi.password=, rd.iscsi.param=node.session.auth.password_in=, netroot=iscsi:, cifspass=, root=cifs://. */
const SECRET =
  /^(?:(?:(?:rd\.)?iscsi[._-]param=)?[\w.[\]-]*password\w*=|cifspass=|(?:net)?root=(?:live:)?(?:iscsi:|cifs:\/\/))/i;

/** Returns what comes before the password in a parameter; null if it has none. */
export function beforeSecret(parameter: string): string | null {
  return SECRET.exec(parameter)?.[0] ?? null;
}

/** Returns a parameter with "…" for its password. What comes after that of netroot=iscsi:…@ stays. */
export function hideSecret(parameter: string): string {
  const before = beforeSecret(parameter);
  if (before === null) return parameter;
  if (before.endsWith("=")) return `${before}…`;
  const at = parameter.lastIndexOf("@");
  return at < 0 ? parameter : `${before}…${parameter.slice(at)}`;
}

/** Returns a command line with "…" for each password of it. */
export function hideSecrets(commandLine: string): string {
  return commandLine.replace(WORD, (word) => {
    const plain = word.replaceAll('"', "");
    return beforeSecret(plain) === null ? word : hideSecret(plain);
  });
}
