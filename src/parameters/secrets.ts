/** A parameter of the command line as it is written: quotes keep spaces in it (next_arg of lib/cmdline.c). */
const WORD = /(?:[^\s"]|"[^"]*"?)+/g;

/** What comes before a password: rd.iscsi.password=, rd.iscsi.param=node.session.auth.password_in=, netroot=iscsi:, cifspass=, root=cifs://. */
const SECRET =
  /^(?:(?:(?:rd\.)?iscsi[._-]param=)?[\w.[\]-]*password\w*=|cifspass=|(?:net)?root=(?:live:)?(?:iscsi:|cifs:\/\/))/i;

/** Returns what comes before the password in a parameter; null if it has none. */
export function beforeSecret(parameter: string): string | null {
  return SECRET.exec(parameter)?.[0] ?? null;
}

/** A password in the options of a mount, as mount.cifs(8) has it: a comma in it is written twice. */
const OPTION_SECRET = /((?:^|[,=])pass(?:word|wd)?2?=)(?:[^,]|,,)*/gi;
const OPTIONS = /^(?:rootflags|img_flags)=/i;

/** Returns the options of a mount with "…" for each password of them. */
export function hideOptionSecrets(options: string): string {
  return options.replace(OPTION_SECRET, "$1…");
}

/** Returns a parameter with "…" for its password. What comes after that of netroot=iscsi:…@ stays. */
export function hideSecret(parameter: string): string {
  const before = beforeSecret(parameter);
  if (before === null) return OPTIONS.test(parameter) ? hideOptionSecrets(parameter) : parameter;
  if (before.endsWith("=")) return `${before}…`;
  const at = parameter.lastIndexOf("@");
  return at < 0 ? parameter : `${before}…${parameter.slice(at)}`;
}

/** A shorter one is in too many other words. */
const SHORTEST_SECRET = 4;

/** Returns the passwords of a command line, but the shortest ones. */
export function listSecrets(commandLine: string): readonly string[] {
  const plain = (commandLine.match(WORD) ?? []).map((word) => word.replaceAll('"', ""));
  return plain.flatMap((word) => {
    const hidden = hideSecret(word);
    const [before = "", after = ""] = hidden.split("…");
    const secret = hidden === word ? "" : word.slice(before.length, word.length - after.length);
    return secret.length < SHORTEST_SECRET ? [] : [secret];
  });
}

/** Returns a command line with "…" for each password of it. */
export function hideSecrets(commandLine: string): string {
  return commandLine.replace(WORD, (word) => {
    const plain = word.replaceAll('"', "");
    const hidden = hideSecret(plain);
    return hidden === plain ? word : hidden;
  });
}
