/** Who a file server knows this machine as. */
export interface ShareAccount {
  readonly username: string;
  /** A secret: never shown, and no argument of a program. */
  readonly password: string | null;
}

/** A directory on a file server that speaks SMB; the source of its mount is //HOST/SHARE. */
export interface ShareSource {
  readonly source: string;
  /** null: cifsuser= says it, or the server accepts guests. */
  readonly account: ShareAccount | null;
}

const SHARE = /^cifs:\/\/(?:([^:@/]+)(?::([^@]*))?@)?(\[[\da-f:.]+\]|[a-z\d][\w.-]*)\/([^/\s,][^\s,]*)$/i;

/** Parses root=cifs://[USER[:PASSWORD]@]HOST/SHARE[/PATH], as dracut has it; null for any other text. */
export function parseShare(text: string): ShareSource | null {
  const [, username, password = null, host, share] = SHARE.exec(text) ?? [];
  if (host === undefined || share === undefined) return null;
  return { source: `//${host}/${share}`, account: username === undefined ? null : { username, password } };
}

const DATASET = /^zfs[:=]([a-z][\w.:-]*(?:\/[\w.:-]+)*)$/i;

/** Parses root=ZFS=POOL/DATASET or zfs:POOL/DATASET, as ZFS's own hooks have it; null for any other text, and for "AUTO". */
export function parseDataset(text: string): string | null {
  const name = DATASET.exec(text)?.[1];
  return name === undefined || name.toUpperCase() === "AUTO" ? null : name;
}
