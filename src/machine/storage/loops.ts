/** A loop device to set up. */
export interface LoopRequest {
  readonly file: string;
  readonly readOnly: boolean;
  /** The start of the device in the file, and its length, in bytes: from the beginning, up to the end by default. */
  readonly offset?: number;
  readonly size?: number;
}
